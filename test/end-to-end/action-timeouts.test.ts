/** How long the actions of a client may take: a real server and a real client. */
import type { CallContext, CallOptions } from '@token-socket/client'
import type { ServerSocket, TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import { rejection } from '../protocol/rejection.js'
import { until, useSites } from './fixture.js'

type Call = (sockets: TokenSocketServer, socket: ServerSocket, options?: CallOptions) => Promise<unknown>

const CALLS: readonly (readonly [method: string, call: Call])[] = [
  ['socket.rpc', (_, socket, options) => socket.rpc('left', 1, options)],
  ['server.rpc', (sockets, socket, options) => sockets.rpc(socket, 'left', 1, options)],
  ['cluster.rpc', (sockets, { sid }, options) => sockets.cluster.rpc(sid, 'left', 1, options)],
]

/** What the server waits, and what the action then has left. */
const TIMES: readonly (readonly [asked: number | undefined, expected: number | null])[] = [
  [undefined, 5000],
  [700, 700],
  [60_000, 60_000],
  [0, null],
  [Number.POSITIVE_INFINITY, null],
]

describe('the time of an action', () => {
  const start = useSites()
  const left = (_data: unknown, _callback: unknown, call: CallContext) => call.deadline - Date.now()

  for (const [method, call] of CALLS)
    for (const [timeout, expected] of TIMES)
      it(`is ${expected} ms where ${method} waits ${timeout}, and the client's callTimeout is 5000`, async () => {
        const site = await start()
        const { socket } = await site.pair({ callTimeout: 5000 }, { left })
        const options = timeout === undefined ? undefined : { timeout }
        const got = (await call(site.sockets, socket, options)) as number | null
        if (expected === null) expect(got).to.equal(null)
        else expect(got).to.be.within(expected - 400, expected)
      })

  it('may be longer than the client’s callTimeout', async () => {
    const site = await start({
      socketController: { never: (_auth: unknown, _data: unknown, _callback: unknown) => {} },
    })
    let answer = (_text: string) => {}
    const asks = new Promise<string>((resolve) => {
      answer = resolve
    })
    const { client, socket } = await site.pair({ callTimeout: 20 }, { ask: () => asks })
    const asked = socket.rpc('ask', 1, { timeout: 5000 })
    // A call of the client’s own shows that its callTimeout is over.
    expect((await rejection(client.rpc('never'))).code).to.equal('timeout')
    answer('yes')
    expect(await asked).to.equal('yes')
  })

  it('ends with the server’s', async () => {
    const site = await start()
    const calls: CallContext[] = []
    const keep = (_data: unknown, _callback: unknown, call: CallContext) => {
      calls.push(call)
      return new Promise(() => {})
    }
    const { socket } = await site.pair({}, { keep })
    const { code } = await rejection(socket.rpc('keep', 1, { timeout: 30 }))
    expect(code).to.equal('timeout')
    await until(() => calls[0]?.signal.aborted === true)
    expect(calls[0]?.signal.reason).to.have.property('code', 'timeout')
  })
})
