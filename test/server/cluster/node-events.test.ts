import { expect } from 'chai'
import { checkNodeEvent, NodeEvents } from '#server/cluster/node-events.js'
import { turn } from '../../end-to-end/fixture.js'

function thrownBy(run: () => unknown): { readonly code?: string; readonly data?: unknown } {
  try {
    run()
  } catch (error) {
    return error as object
  }
  return {}
}

describe('NodeEvents', () => {
  const details = { node: 'n' }
  let failures: unknown[]
  let events: NodeEvents

  beforeEach(() => {
    failures = []
    events = new NodeEvents((cause, about) => failures.push([(cause as Error).message, about]))
  })

  it('calls the listeners of an event, in order, and those of no other', () => {
    const calls: unknown[] = []
    events.on('a', (...args) => calls.push(['first', ...args]))
    events.on('a', (...args) => calls.push(['second', ...args]))
    for (const name of ['b', '__proto__', 'toString']) events.on(name, () => calls.push(name))
    events.receive('a', { x: 1 }, details)
    events.receive('c', 1, details)
    expect(calls).to.deep.equal([
      ['first', { x: 1 }, details],
      ['second', { x: 1 }, details],
    ])
  })

  it('takes each listener away by itself, once', () => {
    let calls = 0
    const listener = () => {
      calls += 1
    }
    const [first, second] = [events.on('a', listener), events.on('a', listener)]
    first()
    first()
    events.receive('a', null, details)
    expect(calls).to.equal(1)
    second()
    events.receive('a', null, details)
    expect(calls).to.equal(1)
  })

  it('calls those that were there when it came', () => {
    const calls: string[] = []
    const off = events.on('a', () => {
      calls.push('a')
      off()
      events.on('a', () => calls.push('late'))
    })
    events.on('a', () => calls.push('b'))
    events.receive('a', null, details)
    expect(calls).to.deep.equal(['a', 'b'])
  })

  it('keeps what throws or rejects from the others, and reports it', async () => {
    const calls: string[] = []
    events.on('a', () => {
      throw new Error('one')
    })
    events.on('a', async () => {
      throw new Error('two')
    })
    events.on('a', () => calls.push('three'))
    events.receive('a', null, details)
    await turn()
    expect(calls).to.deep.equal(['three'])
    const about = { step: 'cluster', event: 'a', node: 'n' }
    expect(failures).to.deep.equal([
      ['one', about],
      ['two', about],
    ])
  })

  it('takes names and functions only', () => {
    for (const name of ['', 7, null, undefined])
      expect(thrownBy(() => events.on(name as never, () => {})).data).to.deep.equal({ field: 'event' })
    expect(thrownBy(() => events.on('x'.repeat(129), () => {})).code).to.equal('too_long')
    for (const listener of [undefined, null, {}, 'a'])
      expect(thrownBy(() => events.on('a', listener as never)).data).to.deep.equal({ field: 'listener' })
  })
})

describe('checkNodeEvent', () => {
  it('refuses what no node could be sent', () => {
    const table: readonly (readonly [string, unknown, string, unknown])[] = [
      ['', 1, 'bad_message', { field: 'event' }],
      ['x'.repeat(129), 1, 'too_long', { field: 'event', limit: 128 }],
      ['a', 1n, 'unserializable', undefined],
      ['a', 'x'.repeat(1024 * 1000), 'too_large', { field: 'data', limit: 1024 * 1000 }],
    ]
    for (const [event, data, code, about] of table) {
      const error = thrownBy(() => checkNodeEvent(event, data))
      expect([error.code, error.data]).to.deep.equal([code, about])
    }
    checkNodeEvent('a', undefined)
    checkNodeEvent('x'.repeat(128), 'x'.repeat(1024 * 1000 - 2))
  })
})
