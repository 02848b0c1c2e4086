import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { checkEventName } from '#server/runtime/event-names.js'
import { EVENT_HABITS, SERVER_EVENTS } from '#server/server-events.js'
import { thrownBy } from '../protocol/rejection.js'

describe('checkEventName', () => {
  const check = (event: unknown) => () => checkEventName(event, SERVER_EVENTS, EVENT_HABITS)

  for (const event of SERVER_EVENTS) it(`takes ${event}`, () => check(event)())

  const wrong: [event: unknown, meant: string | undefined][] = [
    ['connection', 'connected'],
    ['connect', 'connected'],
    ['disconnect', 'disconnected'],
    ['subcribe', 'subscribe'],
    ['Publish', 'publish'],
    ['a name of my own', undefined],
    ['__proto__', undefined],
    ['', undefined],
    [Symbol('connected'), undefined],
    [undefined, undefined],
  ]
  for (const [event, meant] of wrong) {
    it(`refuses ${String(event) || 'an empty name'}, lists the events, and ${meant ? `suggests ${meant}` : 'suggests none'}`, () => {
      const error = thrownBy(check(event)) as RpcError
      expect(RpcError.is(error)).to.equal(true)
      expect(error).to.deep.include({ code: 'bad_message', data: { field: 'event' } })
      expect(error.message).to.contain(SERVER_EVENTS.join(', '))
      if (meant) expect(error.message).to.contain(`did you mean "${meant}"?`)
      else expect(error.message).not.to.contain('did you mean')
    })
  }

  it('suggests events that exist, for each habit', () => {
    expect(SERVER_EVENTS).to.include.members([...EVENT_HABITS.values()])
  })

  it('cuts a long name', () => {
    expect((thrownBy(check('x'.repeat(10_000))) as RpcError).message).to.have.length.below(400)
  })
})
