/** What refuses a sign-in, and what the client shows of it: a real server and a real client. */
import { CLOSE_CODES, RpcError } from '@token-socket/client'
import type { TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import { rejection } from '../protocol/rejection.js'
import { next, useSites } from './fixture.js'

const banned = () => new RpcError('banned', 'You are banned', { until: 5 })

/** What refuses, and the error that the client has. */
const REFUSALS: readonly (readonly [
  what: string,
  refuse: (sockets: TokenSocketServer) => unknown,
  error: object,
])[] = [
  [
    'a listener that answers false',
    (sockets) => sockets.on('authentication', () => false),
    { code: 'forbidden', message: 'Forbidden', data: undefined },
  ],
  [
    'a listener that throws an RpcError',
    (sockets) =>
      sockets.on('authentication', async () => {
        throw banned()
      }),
    { code: 'banned', message: 'You are banned', data: { until: 5 } },
  ],
  [
    'a listener that calls back with an RpcError',
    (sockets) => sockets.on('authentication', (_socket, _auth, callback) => callback(banned())),
    { code: 'banned', message: 'You are banned', data: { until: 5 } },
  ],
  [
    'a middleware that throws an RpcError',
    (sockets) =>
      sockets.use('authentication', () => {
        throw banned()
      }),
    { code: 'banned', message: 'You are banned', data: { until: 5 } },
  ],
]

describe('a client that the server ends', () => {
  const start = useSites()

  for (const [reconnect, state, name] of [
    [true, 'waiting', 'closed_by_server'],
    [false, 'failed', 'disconnected'],
  ] as const)
    it(`is ${state} where it may come back: ${reconnect}`, async () => {
      const site = await start()
      const { client, socket } = await site.pair()
      const ended = next(client, 'state')
      socket.end({ reconnect })
      await ended
      expect(client.state).to.equal(state)
      const { error } = client.status
      expect(error).to.have.property('code', 'connection_lost')
      expect(error?.data).to.have.property('code', CLOSE_CODES[name].code)
    })
})

describe('a refused sign-in', () => {
  const start = useSites()

  for (const [what, refuse, expected] of REFUSALS)
    it(`fails the client at once, with the error of ${what}`, async () => {
      const site = await start()
      refuse(site.sockets)
      const client = site.client()
      const tries: number[] = []
      client.on('state', (_state, { attempt }) => tries.push(attempt))
      const { code, message, data } = await rejection(client.ready())
      expect({ code, message, data }).to.deep.equal(expected)
      expect(client.state).to.equal('failed')
      expect(tries).to.deep.equal([1])
    })

  for (const [code, isFinal] of [
    ['banned', true],
    ['engine_unavailable', false],
  ] as const)
    it(`of the authentication function reaches the client: ${code}, final: ${isFinal}`, async () => {
      let tries = 0
      const authentication = async () => {
        tries += 1
        if (isFinal || tries === 1) throw new RpcError(code, 'Not now', { until: 5 })
        return { uid: 'ann' }
      }
      const site = await start({ authentication })
      const client = site.client()
      const errors: unknown[] = []
      client.on('state', (_state, { error }) => error && errors.push(error))
      if (isFinal) await rejection(client.ready())
      else await client.ready()
      const [error] = errors as RpcError[]
      expect(error).to.include({ code, message: 'Not now' })
      expect(error?.data).to.deep.equal({ until: 5 })
      expect(tries).to.equal(isFinal ? 1 : 2)
    })
})
