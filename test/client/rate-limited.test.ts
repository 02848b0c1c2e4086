import { encodeError, RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { errorOf, turn, until } from './waiting.js'
import { World } from './world.js'

describe('requests that are refused for a rate', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
  })

  afterEach(() => world.close())

  const refusal = (retryAfter: unknown = 40, limit = 100) =>
    encodeError(new RpcError('rate_limited', undefined, { field: 'messagesPerSecond', limit, retryAfter }))

  /** From now on the server does so many requests, then refuses as many as it is told, and does all others. */
  function refuse(count: number, { after = 0, outcome = refusal() } = {}): void {
    let done = 0
    world.server.onmessage = (message, peer) => {
      if (message.type !== 'call' && message.type !== 'publish') return false
      done += 1
      const isRefused = done > after && done <= after + count
      const rpc = message.type === 'call' ? message.name : '_publish'
      peer.send({
        type: 'answer',
        rpc,
        id: String(message.id),
        outcome: isRefused ? outcome : { data: message.data },
      })
      return true
    }
  }

  const sent = () => world.server.peer.of('call').map(({ data }) => data)

  it('fail at once, if the option is not given', async () => {
    refuse(1)
    const socket = await world.openReady()
    expect(await errorOf(socket.rpc('keep', 1))).to.deep.include({
      code: 'rate_limited',
      data: { field: 'messagesPerSecond', limit: 100, retryAfter: 40 },
    })
    expect(sent()).to.deep.equal([1])
  })

  it('wait for `retryAfter`, and are sent once more', async () => {
    refuse(1)
    const socket = await world.openReady({ retryRateLimited: true })
    const clock = world.stopClock()
    const call = socket.rpc('keep', 1)
    await until(() => sent().length === 1)
    await turn()
    await clock.tickAsync(39)
    expect(sent()).to.deep.equal([1])
    await clock.tickAsync(1)
    expect(await call).to.equal(1)
    expect(sent()).to.deep.equal([1, 1])
  })

  it('fail when they are refused once more', async () => {
    refuse(2, { outcome: refusal(1) })
    const socket = await world.openReady({ retryRateLimited: true })
    expect((await errorOf(socket.rpc('keep', 1))).code).to.equal('rate_limited')
    expect(sent()).to.deep.equal([1, 1])
  })

  it('keep their order, and go before later ones', async () => {
    refuse(3, { after: 2, outcome: refusal(10, 1000) })
    const socket = await world.openReady({ retryRateLimited: true })
    const order: unknown[] = []
    const call = (number: number) => socket.rpc('keep', number).then((data) => order.push(data))
    const calls = [1, 2, 3, 4, 5].map(call)
    await until(() => order.length === 2)
    await turn()
    calls.push(call(6), call(7))
    await Promise.all(calls)
    expect(order).to.deep.equal([1, 2, 3, 4, 5, 6, 7])
    expect(sent()).to.deep.equal([1, 2, 3, 4, 5, 3, 4, 5, 6, 7])
  })

  it('that are publications are sent with the same key', async () => {
    refuse(1, { outcome: refusal(1) })
    const socket = await world.openReady({ retryRateLimited: true })
    await socket.publish('a', 1, { idempotencyKey: 'k' })
    expect(world.server.peer.of('publish').map(({ key }) => key)).to.deep.equal(['k', 'k'])
  })

  it('time out within their own time, and are aborted by their signal', async () => {
    refuse(2, { outcome: refusal(1000) })
    const socket = await world.openReady({ retryRateLimited: true })
    const controller = new AbortController()
    const aborted = errorOf(socket.rpc('keep', 1, { signal: controller.signal }))
    const late = errorOf(socket.rpc('keep', 2, { timeout: 30 }))
    await until(() => sent().length === 2)
    await turn()
    controller.abort()
    expect((await aborted).code).to.equal('aborted')
    expect((await late).code).to.equal('timeout')
    expect(sent()).to.deep.equal([1, 2])
  })

  it('wait over a loss of the connection', async () => {
    refuse(1, { outcome: refusal(20) })
    const socket = await world.openReady({ retryRateLimited: true })
    world.reconnectAtOnce()
    const call = socket.rpc('keep', 1)
    await until(() => sent().length === 1)
    await turn()
    await world.cut(socket)
    expect(await call).to.equal(1)
  })

  it('fail at once where no time is said', async () => {
    refuse(1, { outcome: refusal('soon') })
    const socket = await world.openReady({ retryRateLimited: true })
    expect((await errorOf(socket.rpc('keep', 1))).code).to.equal('rate_limited')
  })

  it('fail when the socket ends', async () => {
    refuse(1, { outcome: refusal(1000) })
    const socket = await world.openReady({ retryRateLimited: true })
    const call = errorOf(socket.rpc('keep', 1))
    await until(() => sent().length === 1)
    await turn()
    await socket.end()
    expect((await call).code).to.equal('ended')
  })
})
