import { expect } from 'chai'
import { ClusterSubscriber } from '#redis/connection/cluster-subscriber.js'
import type { RedisCluster } from '#redis/connection/redis-cluster.js'
import { OneSource } from '#redis/connection/redis-handle.js'
import { ThrottledLog } from '#redis/connection/throttled-log.js'
import { until } from '../redis-cluster.js'
import { type Admin, RedisProcess } from '../redis-process.js'

const quiet = { info() {}, warn() {} }

/** What is known of a cluster of one Redis: that it has every slot, or nothing. */
class KnownCluster {
  address: string | undefined = 'one'
  readonly #listeners = new Set<() => void>()
  readonly #source: OneSource

  constructor(url: string) {
    this.#source = new OneSource({ url }, 5000)
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  has(address: string): boolean {
    return this.address === address
  }

  knownAddressOf(): string | undefined {
    return this.address
  }

  opener() {
    return () => this.#source.open()
  }

  /** It is known now that this one has all slots. */
  learn(address: string | undefined): void {
    this.address = address
    for (const listener of this.#listeners) listener()
  }
}

describe('ClusterSubscriber', () => {
  let redis: RedisProcess
  let admin: Admin
  let cluster: KnownCluster
  let subscriber: ClusterSubscriber
  let wanted: string[]
  let heard: string[]
  let compared: string[][]

  before(async () => {
    redis = await RedisProcess.start()
    admin = await redis.admin()
  })

  after(() => redis.stop())

  beforeEach(() => {
    cluster = new KnownCluster(redis.url)
    wanted = []
    heard = []
    compared = []
    subscriber = new ClusterSubscriber({
      cluster: cluster as unknown as RedisCluster,
      name: 'subscriber',
      commandTimeout: 5000,
      connectTimeout: 5000,
      logger: quiet,
      throttledLog: new ThrottledLog(quiet),
      topics: () => wanted,
      message: (text, topic) => heard.push(`${topic} ${text}`),
      ready: (topics = wanted) => compared.push([...topics]),
    })
  })

  afterEach(() => subscriber.close())

  /** Resolves when it hears what is published. */
  async function hears(topic: string): Promise<void> {
    const before = heard.length
    await until(async () => Number(await admin.sPublish(topic, 'now')) > 0)
    await until(() => heard.length > before)
    expect(heard.at(-1)).to.equal(`${topic} now`)
  }

  it('hears what is wanted as soon as it is known who has it, though nobody subscribes', async () => {
    wanted = ['early']
    cluster.learn('one')
    await hears('early')
  })

  it('hears what is wanted again when its master was forgotten for a moment', async () => {
    wanted = ['a', 'b']
    for (const topic of wanted) await subscriber.subscribe(topic)
    cluster.learn(undefined)
    await until(async () => (await admin.pubSubShardNumSub(['a'])).a === 0)
    cluster.learn('one')
    for (const topic of wanted) await hears(topic)
    await until(() => compared.some((topics) => topics.includes('a') && topics.includes('b')))
  })

  it('follows to another master, and compares what has moved', async () => {
    wanted = ['a']
    await subscriber.subscribe('a')
    compared = []
    cluster.learn('another')
    await until(() => compared.length > 0)
    expect(new Set(compared.flat())).to.deep.equal(new Set(['a']))
    await hears('a')
  })

  it('leaves out what is wanted no more', async () => {
    wanted = ['a', 'b']
    for (const topic of wanted) await subscriber.subscribe(topic)
    cluster.learn(undefined)
    wanted = ['b']
    await subscriber.unsubscribe('a')
    cluster.learn('one')
    await hears('b')
    expect(await admin.sPublish('a', 'nobody')).to.equal(0)
  })
})
