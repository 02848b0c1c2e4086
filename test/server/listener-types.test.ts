/** What TypeScript takes for a listener of the server, and what it refuses: `npm run types` is what fails. */
import type { TokenSocketServer, TokenSocketServerEvents, Veto } from '@token-socket/server'
import { expect } from 'chai'

const VETOES = ['authentication', 'subscribe', 'unsubscribe', 'publish', 'broadcast'] as const

/** Runs nothing of it: the types are the test. */
function compile(sockets: TokenSocketServer, isMember: (channel: string) => Promise<boolean>): void {
  // They answer by their callback.
  sockets.on('subscribe', (_socket, { channel }, callback) => {
    setTimeout(() => callback(null, channel === 'a'), 5)
  })
  sockets.on('publish', (_socket, { channel, event, data }, callback) =>
    callback(null, [channel, event, data]),
  )
  sockets.on('authentication', (_socket, _auth, callback) => callback())
  sockets.once('broadcast', function (this: TokenSocketServer, _socket, { data }, callback) {
    callback(data ? null : new Error('no data'), true)
  })
  // They return.
  sockets.on('subscribe', (socket, { channel }) => socket.uid === channel)
  sockets.on('unsubscribe', async () => true)
  sockets.addListener(
    'subscribe',
    async (_socket, { channel }) => (await isMember(channel)) && channel !== 'b',
  )
  sockets.on('subscribe', (_socket, { channel }) => channel === 'a' || isMember(channel))
  const veto: TokenSocketServerEvents['subscribe'] = () => false
  sockets.on('subscribe', veto).off('subscribe', veto)
  for (const event of VETOES) sockets.on(event, () => true)
  // These report: what they return is ignored.
  sockets.on('connected', async (socket) => socket.subscribe('a'))
  sockets.on('disconnected', (_socket, reason, { duration }) => [reason, duration.toFixed()])
  sockets.on('error', async (cause, details) => {
    await Promise.resolve([cause, details])
  })

  // @ts-expect-error it resolves nothing, which refuses
  sockets.on('subscribe', async () => {})
  // @ts-expect-error the same
  sockets.once('subscribe', async () => {})
  // @ts-expect-error the same
  sockets.addListener('authentication', async (_socket, auth) => void auth)
  // @ts-expect-error it may resolve nothing
  sockets.on('publish', async (_socket, { channel }) => {
    if (channel === 'private') return false
  })
  // @ts-expect-error a promise answers, before the callback could
  sockets.on('broadcast', async (_socket, _data, callback) => callback(null, true))
  // @ts-expect-error only `true` allows
  sockets.on('unsubscribe', () => 'yes')
  // @ts-expect-error only `true` allows
  sockets.on('subscribe', async () => 1)
  // @ts-expect-error it may return nothing but a word
  sockets.on('subscribe', (_socket, { channel }) => channel === 'a' || 'not you')
  // @ts-expect-error there is no such event
  sockets.on('connection', () => {})
  // @ts-expect-error the channel is a text
  sockets.on('subscribe', (_socket, { channel }: { channel: number }) => channel === 5)
  // @ts-expect-error it resolves nothing
  const answer: Veto = (async () => {})()
  void answer
}

describe('the types of listeners', () => {
  it('take what answers, and refuse what may answer nothing', () => {
    expect(compile).to.be.a('function')
  })
})
