import { createTimeouts, type Outcome, RpcError, type RpcLimits, RpcPeer } from '@token-socket/protocol'
import { expect } from 'chai'
import { turn } from './incoming-calls.js'
import { rejection } from './rejection.js'

const limits = { timeout: 1000, callsOut: 3, callsIn: 10 } satisfies RpcLimits
type Answer = (error?: unknown) => void

/** What a function does with the failure of its own call. */
const WAYS: Readonly<Record<string, (error: unknown, callback: Answer) => unknown>> = {
  throws: (error) => {
    throw error
  },
  rejects: (error) => Promise.reject(error),
  'calls back': (error, callback) => callback(error),
}

describe('the failure of a call inside a function', () => {
  let peer: RpcPeer
  beforeEach(() => {
    peer = new RpcPeer(limits, { threw: () => {} }, createTimeouts())
  })

  /** A call that failed. */
  async function failure(how: (id: string) => void, name: string | undefined = 'confirm'): Promise<RpcError> {
    let sent = ''
    const promise = peer.request(
      (id) => {
        sent = id
      },
      undefined,
      name,
    )
    how(sent)
    return rejection(promise)
  }

  const answered = (outcome: Outcome) => failure((id) => peer.settle(id, outcome))

  /** What the caller of a function gets that passes an error on. */
  async function passed(
    error: unknown,
    way: (error: unknown, callback: Answer) => unknown,
  ): Promise<Outcome> {
    const answers: Outcome[] = []
    const action = (_data: unknown, callback: Answer) => way(error, callback)
    peer.receive({
      name: 'orders.pay',
      action: action as never,
      before: [1],
      answer: (one) => answers.push(one),
    })
    await turn()
    expect(answers).to.have.length(1)
    return answers[0] as Outcome
  }

  for (const [way, run] of Object.entries(WAYS)) {
    it(`is nested_failed, which names both, when the function ${way} it`, async () => {
      const error = await answered({ error: 'Function not found', code: 'not_found' })
      expect(error.code).to.equal('not_found')
      const data = { code: 'not_found', function: 'confirm' }
      const message = 'A call inside the function failed: orders.pay called confirm: not_found'
      expect(await passed(error, run)).to.deep.equal({
        error: { message, code: 'nested_failed', data },
        code: 'nested_failed',
      })
    })

    it(`is not suspected in an RpcError of the function’s own that it ${way}`, async () => {
      const cause = await answered({ error: 'Function not found', code: 'not_found' })
      const own = new RpcError('not_found', 'No such order', { code: 'x', function: 'y' }, cause)
      expect(await passed(own, run)).to.deep.equal({
        error: { message: 'No such order', code: 'not_found', data: { code: 'x', function: 'y' } },
        code: 'not_found',
      })
    })
  }

  for (const [title, make] of Object.entries<() => Promise<RpcError>>({
    forbidden: () => answered({ error: 'Forbidden', code: 'forbidden' }),
    sold_out: () => answered({ error: { message: 'x', code: 'sold_out', data: 1 }, code: 'sold_out' }),
    nested_failed: () => answered({ error: 'nested_failed', code: 'nested_failed' }),
    connection_lost: () => failure(() => peer.disconnect(new RpcError('connection_lost'))),
    aborted: async () => rejection(peer.request(() => {}, { signal: AbortSignal.abort() }, 'confirm')),
    unserializable: async () =>
      rejection(
        peer.request(
          () => {
            throw new RpcError('unserializable')
          },
          undefined,
          'confirm',
        ),
      ),
  })) {
    it(`is known as such when it is ${title}`, async () => {
      const outcome = await passed(await make(), (error) => Promise.reject(error))
      expect(outcome).to.have.property('code', 'nested_failed')
      expect((outcome as { error: { data: unknown } }).error.data).to.deep.equal({
        code: title,
        function: 'confirm',
      })
    })
  }

  it('names no function where the request was of none', async () => {
    const error = await failure((id) => peer.settle(id, { error: 'Forbidden', code: 'forbidden' }), '')
    const outcome = await passed(error, (cause) => Promise.reject(cause))
    const { data } = (outcome as { error: { data: { function?: string } } }).error
    expect(data).to.deep.equal({ code: 'forbidden', function: undefined })
  })

  it('names the function of each of several calls that failed together', async () => {
    const promises = ['one', 'two'].map((name) => rejection(peer.request(() => {}, undefined, name)))
    peer.disconnect(new RpcError('connection_lost'))
    const outcomes = await Promise.all(
      (await Promise.all(promises)).map((error) => passed(error, (cause) => Promise.reject(cause))),
    )
    const names = outcomes.map(
      (one) => (one as { error: { data: { function: string } } }).error.data.function,
    )
    expect(names).to.deep.equal(['one', 'two'])
  })

  it('cannot be claimed by what a peer sends', async () => {
    const text = { message: 'x', code: 'sold_out', data: { '@token-socket/failedCall': 'confirm' } }
    const own = Object.assign(new RpcError('sold_out'), { '@token-socket/failedCall': 'confirm' })
    for (const error of [own, text])
      expect(await passed(error, (_error, callback) => callback(error))).to.have.property('code', 'sold_out')
  })
})
