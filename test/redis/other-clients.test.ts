/** Clients of other packages, and of other versions, in the place of settings. None of these connects. */
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { type RedisEngineOptions, redisEngine } from '@token-socket/redis'
import { type RpcError, TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import { createClient } from 'redis'
import { thrownBy } from '../protocol/rejection.js'
import { RedisNode } from './redis-node.js'
import { RedisProcess } from './redis-process.js'

/** What a test makes and ends. */
interface OtherClient {
  on?(event: 'error', listener: () => void): unknown
}

type Make = (...settings: readonly unknown[]) => OtherClient

/** What packages like `redis` have. */
interface OfRedis {
  readonly createClient: Make
  readonly createCluster: Make
  readonly createSentinel: Make
  readonly createClientPool: Make
}

/** What packages like ioredis have. */
interface OfIoredis {
  readonly Redis: new (settings: object) => OtherClient
  readonly Cluster: new (nodes: readonly object[], settings: object) => OtherClient
}

const requireOther = createRequire(new URL('../matrix/package.json', import.meta.url))
const requireOwn = createRequire(import.meta.url)

const NODE = { host: '127.0.0.1', port: 1 }
const ROOTS = { rootNodes: [{ socket: NODE }] }
const SENTINELS = { name: 'main', sentinelRootNodes: [NODE] }
const LAZY = { lazyConnect: true }

const ONE = /pass \{ url \}, or settings as \{ standalone: /
const CLUSTER = /pass its settings as \{ cluster: \{ rootNodes, defaults \} \}$/
const SENTINEL = /pass its settings as \{ sentinel: \{ name, sentinelRootNodes \} \}$/

type Row = readonly [name: string, make: () => OtherClient, remedy: RegExp]

const ofRedis = (name: string): OfRedis => requireOther(name)
const ofIoredis = (name: string): OfIoredis => requireOther(name)

const ROWS: readonly Row[] = [
  ['a client of redis 4', () => ofRedis('redis4').createClient(), ONE],
  ['a cluster of redis 4', () => ofRedis('redis4').createCluster(ROOTS), CLUSTER],
  ['a client of redis 5', () => ofRedis('redis5').createClient(), ONE],
  ['a cluster of redis 5', () => ofRedis('redis5').createCluster(ROOTS), CLUSTER],
  ['a sentinel client of redis 5', () => ofRedis('redis5').createSentinel(SENTINELS), SENTINEL],
  ['a pool of redis 5', () => ofRedis('redis5').createClientPool(), ONE],
  ['a cluster of redis 6', () => (requireOwn('redis') as OfRedis).createCluster(ROOTS), CLUSTER],
  [
    'a sentinel client of redis 6',
    () => (requireOwn('redis') as OfRedis).createSentinel(SENTINELS),
    SENTINEL,
  ],
  ['a pool of redis 6', () => (requireOwn('redis') as OfRedis).createClientPool(), ONE],
  ...['5', '6'].flatMap((version): Row[] => {
    const { Redis, Cluster } = ofIoredis(`ioredis${version}`)
    return [
      [`a client of ioredis ${version}`, () => new Redis(LAZY), ONE],
      [`a cluster of ioredis ${version}`, () => new Cluster([NODE], LAZY), CLUSTER],
      [
        `a sentinel client of ioredis ${version}`,
        () => new Redis({ ...LAZY, sentinels: [NODE], name: 'main' }),
        SENTINEL,
      ],
    ]
  }),
]

describe('redisEngine, with a client of another kind', () => {
  for (const [name, make, remedy] of ROWS) {
    it(`refuses ${name} at once, by its name, and says what to pass`, () => {
      const client = make() as unknown as NonNullable<RedisEngineOptions['client']>
      const error = thrownBy(() => redisEngine({ client })) as RpcError
      expect(error).to.deep.include({ code: 'bad_option', data: { field: 'client' } })
      expect(error.message).to.include(`; this is ${name}; pass `)
      expect(error.message).to.match(remedy)
    })
  }
})

describe('redisEngine, where Redis needs more than a URL', () => {
  let redis: RedisProcess

  before(async () => {
    redis = await RedisProcess.start('--requirepass', 'secret')
  })

  after(() => redis.stop())

  const socket = () => ({ host: '127.0.0.1', port: redis.port })

  const WAYS: readonly [name: string, options: () => RedisEngineOptions][] = [
    ['standalone', () => ({ standalone: { socket: socket(), password: 'secret', database: 2 } })],
    ['a URL in standalone', () => ({ standalone: { url: `redis://:secret@127.0.0.1:${redis.port}/2` } })],
    ['client', () => ({ client: createClient({ socket: socket(), password: 'secret', database: 2 }) })],
  ]

  for (const [name, options] of WAYS) {
    it(`takes its settings as ${name}`, async () => {
      const node = await RedisNode.start(options())
      await node.engine.tickets.put({ id: name, json: '1', ttl: 60_000 })
      const admin = await createClient({ socket: socket(), password: 'secret', database: 2 }).connect()
      expect(await admin.keys('token-socket:{%tickets}*')).to.not.deep.equal([])
      admin.destroy()
      await node.engine.close()
    })
  }

  it('shuts down without an error, whatever was done to the client', async () => {
    const client = createClient({ socket: socket(), password: 'secret' })
    await client.connect()
    const engine = redisEngine({ client, logger: { info() {}, warn() {} } })
    const app = express()
    const server = new TokenSocketServer({ app, server: createServer(app), engine, secret: 's'.repeat(32) })
    await engine.ready()
    client.destroy()
    await server.shutdown()
    await engine.close()
  })
})
