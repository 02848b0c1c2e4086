/** What an engine on Redis can be told. None of these connects. */
import { type RedisEngineOptions, redisEngine } from '@token-socket/redis'
import type { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { createClient, createCluster } from 'redis'
import { thrownBy } from '../protocol/rejection.js'

const TIMES = ['commandTimeout', 'connectTimeout', 'checkInterval', 'lease', 'waitingTime']

const nothing = () => {}

/** What clients of other packages have. */
const REDIS_4 = {
  duplicate: nothing,
  connect: nothing,
  disconnect: nothing,
  quit: nothing,
  sendCommand: nothing,
}
const IOREDIS = { ...REDIS_4, options: {}, sendCommand: nothing }

const WRONG: readonly [field: string, values: readonly unknown[]][] = [
  ...TIMES.map((name) => [name, [0, -1, Number.NaN, 2 ** 31, Infinity, '5000', null]] as [string, unknown[]]),
  ['tickets', [0, -1, Number.NaN, '1']],
  ['waitingPublications', [-1, Number.NaN, '1']],
  [
    'url',
    [
      '',
      5,
      'localhost:6379',
      'http://localhost',
      'redis://localhost:99999',
      'redis//localhost',
      'redis://localhost/a',
      'unix:path',
    ],
  ],
  ['client', [5, null, {}, { options: {} }, { destroy: nothing }, REDIS_4, IOREDIS]],
  ['standalone', [5, null, [], { url: 'http://localhost' }, createClient()]],
  ['cluster', [5, null, [], createCluster({ rootNodes: [{}] })]],
  ['sentinel', [5, null, [], 'main']],
  ['prefix', [5, 'a{}:']],
  ['logger', [5, {}, { warn: () => {} }]],
]

const NODES = [{ url: 'redis://localhost:1' }]
const SENTINELS = [{ host: 'localhost', port: 1 }]

const WRONG_SETTINGS: readonly [field: string, options: object][] = [
  ...[undefined, {}, []].map(
    (rootNodes) => ['cluster.rootNodes', { cluster: { rootNodes } }] as [string, object],
  ),
  ...[5, {}, { host: 'localhost', port: 1 }, { url: 'http://localhost' }].map(
    (root) => ['cluster.rootNodes', { cluster: { rootNodes: [root] } }] as [string, object],
  ),
  ['cluster.defaults', { cluster: { rootNodes: NODES, defaults: 5 } }],
  ['sentinel.name', { sentinel: { sentinelRootNodes: SENTINELS } }],
  ['sentinel.name', { sentinel: { name: '', sentinelRootNodes: SENTINELS } }],
  ...[undefined, [], [{}], [{ host: 'a', port: '1' }], [{ url: 'redis://localhost' }]].map(
    (sentinelRootNodes) =>
      ['sentinel.sentinelRootNodes', { sentinel: { name: 'main', sentinelRootNodes } }] as [string, object],
  ),
  [
    'sentinel.nodeClientOptions',
    { sentinel: { name: 'main', sentinelRootNodes: SENTINELS, nodeClientOptions: 5 } },
  ],
]

/** What says where Redis is. */
const WAYS: Readonly<Record<string, unknown>> = {
  url: 'redis://localhost:1',
  standalone: { socket: { host: 'localhost', port: 1 } },
  client: createClient(),
  cluster: { rootNodes: NODES },
  sentinel: { name: 'main', sentinelRootNodes: SENTINELS },
}

function pairsOf(names: readonly string[]): [string, string][] {
  return names.flatMap((one, at) => names.slice(at + 1).map((other) => [one, other] as [string, string]))
}

function refused(options: unknown): RpcError {
  return thrownBy(() => redisEngine(options as RedisEngineOptions)) as RpcError
}

describe('redisEngine', () => {
  for (const [field, values] of WRONG) {
    for (const value of values) {
      it(`refuses the ${field} ${shown(value)}`, () => {
        const error = refused({ [field]: value })
        expect(error).to.include({ code: 'bad_option' })
        expect(error.message).to.match(new RegExp(`^Invalid option: ${field} \\S`))
        expect(error.data).to.deep.equal({ field })
      })
    }
  }

  for (const [field, options] of WRONG_SETTINGS) {
    it(`refuses the settings ${JSON.stringify(options)}, and names ${field}`, () => {
      const error = refused(options)
      expect(error).to.deep.include({ code: 'bad_option', data: { field } })
      expect(error.message).to.match(new RegExp(`^Invalid option: ${field} \\S`))
    })
  }

  for (const [one, other] of pairsOf(Object.keys(WAYS))) {
    it(`refuses ${one} beside ${other}`, () => {
      const options = { [one]: WAYS[one], [other]: WAYS[other] }
      expect(refused(options).message).to.equal(`Invalid option: ${one} cannot be given beside ${other}`)
    })
  }

  it('warns of settings that mean nothing to it', async () => {
    const told: unknown[][] = []
    const logger = { info: () => {}, warn: (...what: unknown[]) => told.push(what) }
    const rootNodes = [{ url: 'redis://localhost:1' }]
    const sentinelRootNodes = [{ host: 'localhost', port: 1 }]
    for (const options of [
      { cluster: { rootNodes, useReplicas: true } },
      { sentinel: { name: 'main', sentinelRootNodes, nodeClientOption: {} } },
    ]) {
      const engine = redisEngine({ ...options, logger } as object)
      await engine.close()
    }
    expect(told.filter(([, text]) => text === 'there is no such option')).to.deep.equal([
      [{ option: 'cluster.useReplicas' }, 'there is no such option'],
      [
        { option: 'sentinel.nodeClientOption', didYouMean: 'sentinel.nodeClientOptions' },
        'there is no such option',
      ],
    ])
  })

  for (const options of [null, 5, 'redis://localhost']) {
    it(`refuses ${JSON.stringify(options)} instead of options`, () => {
      expect(refused(options)).to.deep.include({ code: 'bad_option', data: { field: 'options' } })
    })
  }

  it('does not tell the password in a url', () => {
    expect(refused({ url: 'http://me:secret@localhost' }).message).to.not.include('secret')
  })

  it('takes what is undefined as left out, and warns of an option that does not exist, with the nearest name', async () => {
    const told: unknown[] = []
    const logger = { info: () => {}, warn: (...what: unknown[]) => told.push(what) }
    const options = { url: 'redis://localhost:1', lease: undefined, perfix: 'a:', logger }
    const engine = redisEngine(options as object)
    expect(told).to.deep.equal([[{ option: 'perfix', didYouMean: 'prefix' }, 'there is no such option']])
    await engine.close()
  })
})

function shown(value: unknown): string {
  const isClient = typeof (value as { duplicate?: unknown } | null)?.duplicate === 'function'
  if (isClient) return `client ${Object.keys(value as object)}`.slice(0, 60)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
