import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import type { EventEmitter } from 'eventemitter3'
import { takeListeners } from '#server/runtime/listeners.js'
import { ServerEmitter } from '#server/server-emitter.js'
import { SERVER_EVENTS } from '#server/server-events.js'
import { thrownBy } from '../protocol/rejection.js'

type Event = 'subscribe'

describe('ServerEmitter', () => {
  let emitter: ServerEmitter
  let seen: unknown[]

  beforeEach(() => {
    emitter = new ServerEmitter()
    seen = []
  })

  function note(this: unknown): boolean {
    seen.push(this)
    return true
  }

  /** As the server calls them. */
  const call = (event: string) => {
    for (const listener of takeListeners(emitter, event as Event)) listener()
  }

  for (const event of SERVER_EVENTS as readonly Event[]) {
    it(`calls listeners of ${event} on what was given as context, or on itself`, () => {
      const [first, second] = [{}, {}]
      emitter.on(event, note).on(event, note, first).addListener(event, note, second).once(event, note, first)
      for (const round of [1, 2]) {
        seen = []
        call(event)
        const expected = round === 1 ? [emitter, first, second, first] : [emitter, first, second]
        expect(seen.map((context) => expected.indexOf(context as object))).to.deep.equal(
          expected.map((context) => expected.indexOf(context)),
        )
      }
      expect(emitter.off(event, note, first).listenerCount(event)).to.equal(2)
    })
  }

  it('calls them as `emit` does', () => {
    const context = {}
    emitter.on('subscribe', note, context).on('subscribe', note)
    emitter.emit('subscribe', undefined as never, { channel: 'a' }, () => {})
    const emitted = seen
    seen = []
    call('subscribe')
    expect(seen).to.have.length(2)
    expect(seen.every((one, index) => one === emitted[index])).to.equal(true)
  })

  for (const method of ['on', 'once', 'addListener', 'emit'] as const) {
    it(`refuses an event that does not exist, as \`${method}\``, () => {
      const error = thrownBy(() => (emitter as EventEmitter)[method]('chat', () => {})) as RpcError
      expect(RpcError.is(error)).to.equal(true)
      expect(error).to.deep.include({ code: 'bad_message', data: { field: 'event' } })
    })
  }

  it('says how to send, where `emit` is called in the way of Socket.IO', () => {
    const error = thrownBy(() => (emitter as EventEmitter).emit('x'.repeat(1000), 'Hello')) as RpcError
    expect(error.message).to.match(
      /sockets\.emit\("x+…"\) sends nothing: use sockets\.publish\(channel, data\)/,
    )
    expect(error.message).to.have.length.below(300)
  })
})
