import { CLOSE_CODES, type RpcError, type TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import { restoreGlobals, setGlobal } from './globals.js'
import { until } from './waiting.js'
import { World } from './world.js'

/** How a connection ends, and what its `disconnect` event has to say. */
interface Loss {
  readonly cause: (world: World, socket: TokenSocket) => unknown
  readonly code: string
  readonly data?: unknown
  readonly text: RegExp
}

const closed = (code: number, reason: string, name = 'connection_lost'): Loss => ({
  cause: ({ server }) => server.peer.socket.close(code, reason),
  code: name,
  data: { code, reason },
  text: new RegExp(`code ${code}, ${reason}`),
})

const LOSSES: Readonly<Record<string, Loss>> = {
  ...Object.fromEntries(
    Object.entries(CLOSE_CODES).map(([name, { code, reason }]) => [
      name,
      closed(code, reason, name === 'invalid_token' ? name : undefined),
    ]),
  ),
  'a close code of another server': closed(1011, 'Failed'),
  'a connection that breaks': {
    cause: ({ server }) => server.cut(),
    code: 'connection_lost',
    data: { code: 1006, reason: '' },
    text: /was closed: code 1006; the outcome of calls under way is unknown$/,
  },
  'suspend()': {
    cause: (_, socket) => socket.suspend(),
    code: 'connection_lost',
    data: { reason: 'suspended' },
    text: /^The socket was suspended$/,
  },
  'end()': {
    cause: (_, socket) => socket.end(),
    code: 'ended',
    text: /^The socket was ended$/,
  },
  'a page that goes away': {
    cause: () => globalThis.dispatchEvent(new Event('pagehide')),
    code: 'connection_lost',
    data: { reason: 'page_left' },
    text: /^The page went away$/,
  },
}

describe('the error of `disconnect`', () => {
  let world: World

  beforeEach(async () => {
    const page = new EventTarget()
    setGlobal('addEventListener', page.addEventListener.bind(page))
    setGlobal('removeEventListener', page.removeEventListener.bind(page))
    setGlobal('dispatchEvent', page.dispatchEvent.bind(page))
    world = await World.create()
  })

  afterEach(async () => {
    await world.close()
    restoreGlobals()
  })

  for (const [name, { cause, code, data, text }] of Object.entries(LOSSES)) {
    it(`has the real reason: ${name}`, async () => {
      const socket = await world.openReady()
      const errors: RpcError[] = []
      socket.on('disconnect', (error) => errors.push(error))
      cause(world, socket)
      await until(() => errors.length)
      const [error] = errors
      expect(error).to.have.property('code', code)
      expect(error?.data).to.deep.equal(data)
      expect(error?.message).to.match(text)
    })
  }

  it('has the real reason: a ping without an answer', async () => {
    const clock = world.stopClock()
    world.server.onmessage = ({ type }) => type === 'ping'
    const socket = await world.openReady({ ping: 100 })
    const errors: RpcError[] = []
    socket.on('disconnect', (error) => errors.push(error))
    clock.tick(100)
    await until(() => world.server.peer.of('ping').length)
    clock.tick(10_000)
    await until(() => errors.length)
    expect(errors[0]?.data).to.deep.equal({ reason: 'ping_unanswered' })
    expect(errors[0]?.message).to.equal('The server did not answer a ping')
  })
})
