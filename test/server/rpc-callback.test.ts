import { decodeError, RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { JoiningSockets } from '#server/authentication/joining-sockets.js'
import { Hub } from '#server/channels/hub.js'
import { Cluster } from '#server/cluster.js'
import { MemoryEngine } from '#server/engine/memory-engine.js'
import { callBack, refuseCallback } from '#server/socket/rpc-callback.js'
import { rejection, thrownBy } from '../protocol/rejection.js'

describe('callBack', () => {
  const failure = new Error('of the application')
  const turn = () => new Promise(setImmediate)

  it('gives a callback the result, or the error', async () => {
    const called: unknown[][] = []
    const error = new RpcError('forbidden')
    for (const promise of [Promise.resolve(5), Promise.reject(error)])
      callBack(promise, (...outcome) => called.push(outcome), { failed: (cause) => called.push([cause]) })
    await turn()
    expect(called).to.deep.equal([[null, 5], [error]])
  })

  it('gives it plain errors, where it is to', async () => {
    const called: unknown[][] = []
    const options = { failed: (cause: unknown) => called.push(['failed', cause]), plainErrors: true }
    const errors = [decodeError({ error: { status: 402 } }), new RpcError('timeout', 'Too late'), 'odd']
    for (const error of errors) callBack(Promise.reject(error), (...outcome) => called.push(outcome), options)
    await turn()
    expect(called).to.deep.equal([[{ status: 402 }], ['Too late'], ['Internal error']])
  })

  for (const [how, callback] of [
    [
      'throws',
      () => {
        throw failure
      },
    ],
    ['rejects with', () => Promise.reject(failure)],
  ] as const) {
    for (const promise of [() => Promise.resolve(5), () => Promise.reject(new RpcError('forbidden'))]) {
      it(`calls it once, and reports what it ${how}`, async () => {
        const failed: unknown[] = []
        let count = 0
        const counting = () => {
          count += 1
          return callback()
        }
        callBack(promise(), counting, { failed: (cause) => failed.push(cause) })
        await turn()
        expect([count, failed]).to.deep.equal([1, [failure]])
      })
    }
  }
})

describe('refuseCallback', () => {
  it('throws for a callback, for nothing else', () => {
    for (const options of [undefined, {}, { timeout: 5 }]) refuseCallback('cluster.rpc', options)
    expect(thrownBy(() => refuseCallback('cluster.rpc', () => {}))).to.have.property('code', 'bad_message')
  })

  it('makes the cluster refuse one, on any node', async () => {
    const cluster = new Cluster({
      nodes: new MemoryEngine().nodes,
      hub: new Hub(() => {}),
      joining: new JoiningSockets(),
      channels: {} as never,
      failed: () => {},
      tickets: { revoke: async () => {}, revoked: async () => undefined },
      revocations: { add: async () => {} },
      authorizations: {} as never,
      limits: { authData: 1000, callTimeout: 50 },
    })
    const callback = (() => {}) as never
    for (const sid of [`a.${cluster.node}`, 'a.other'])
      expect(await rejection(cluster.rpc(sid, 'add', null, callback))).to.have.property('code', 'bad_message')
  })
})
