/** Nodes whose clocks are wrong. */
import type { Receipt } from '@token-socket/server'
import { expect } from 'chai'
import { NodeProcess } from './node-process.js'
import { RedisProcess } from './redis-process.js'

const HOUR = 3_600_000

describe('RedisEngine, on nodes whose clocks are wrong by an hour', () => {
  let redis: RedisProcess
  const nodes: NodeProcess[] = []

  before(async () => {
    redis = await RedisProcess.start()
    for (const ahead of [HOUR, -HOUR]) nodes.push(await NodeProcess.start({ url: redis.url }, ahead))
  })

  after(async () => {
    await Promise.all(nodes.map((node) => node.kill()))
    await redis.stop()
  })

  async function publish(options: object): Promise<Receipt[]> {
    const receipts: Receipt[] = []
    for (let count = 0; count < 20; count += 1) {
      const node = nodes[count % 2] as NodeProcess
      receipts.push((await node.ask('broker', 'publish', { channel: 'a', json: '1' }, options)) as Receipt)
    }
    return receipts
  }

  const inOrder = (ids: readonly string[]) => [...new Set(ids)].sort()

  it('gives what is kept ids that increase, of the right time', async () => {
    const ids = (await publish({ retention: { size: 100, ttl: 60_000 } })).map(({ id }) => id)
    expect(ids).to.deep.equal(inOrder(ids))
    for (const id of ids) expect(Math.abs(timeOf(id) - Date.now())).to.be.below(HOUR / 2)
  })

  it('gives what is not kept ids that increase with each node, of the right time', async () => {
    const ids = (await publish({})).map(({ id }) => id)
    expect(new Set(ids)).to.have.property('size', ids.length)
    // Of several nodes they are in order as far as their ideas of the time of Redis agree, which depends on the network.
    for (const node of [0, 1]) {
      const own = ids.filter((_, index) => index % 2 === node)
      expect(own).to.deep.equal(inOrder(own))
    }
    for (const id of ids) expect(Math.abs(timeOf(id) - Date.now())).to.be.below(HOUR / 2)
  })

  it('keeps what is to be kept for its time', async () => {
    const [one, two] = nodes as [NodeProcess, NodeProcess]
    for (const node of [one, two]) {
      const { offset } = (await node.ask(
        'broker',
        'publish',
        { channel: 'b', json: '1' },
        { retention: { size: 100, ttl: 60_000 }, idempotencyKey: 'k' },
      )) as Receipt
      expect(offset).to.equal(1)
    }
  })
})

/** The time in a ULID. */
function timeOf(id: string): number {
  const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
  return [...id.slice(0, 10)].reduce((time, digit) => time * 32 + digits.indexOf(digit), 0)
}
