/**
 * What worked with the legacy pair and is refused, or means something else, by default: each row of the tables in
 * `docs/MIGRATION.md`, without and with `legacy: true`.
 */
import { readFileSync } from 'node:fs'
import { TokenSocket } from '@token-socket/client'
import { redisEngine } from '@token-socket/redis'
import type { ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { LEGACY_LIMITS } from '#server/options/legacy-limits.js'
import { next, rejection, type Site, type SiteOptions, until, useSites } from '../end-to-end/fixture.js'
import { STALLING } from '../end-to-end/stalled-readers.js'
import { thrownBy } from '../protocol/rejection.js'
import { RedisProcess } from '../redis/redis-process.js'
import { LegacyServer } from './legacy-server.js'
import { plainRedis } from './plain-redis.js'

type Answer = (error?: unknown, data?: unknown) => void

/** What a row runs on. */
interface World {
  readonly isLegacy: boolean
  readonly site: Site
  readonly client: TokenSocket
  readonly socket: ServerSocket
}

/** How what worked once ends now: a code, or what came. */
type Outcome = unknown

interface Row {
  /** Its first cell. */
  readonly worked: string
  readonly options?: SiteOptions
  readonly run: (world: World) => Promise<Outcome>
  readonly now: Outcome
  /** @default the same: nothing lifts it together with the others */
  readonly legacy?: Outcome
}

const MIB = 'x'.repeat(1024 * 1024)

const controller = {
  echo: (_auth: unknown, data: unknown, callback: Answer) => callback(null, data),
  refuse: (_auth: unknown, error: unknown, callback: Answer) => callback(error),
  fail: (_auth: unknown, left: number, callback: Answer) =>
    callback(Object.assign(new Error('No stock'), { left })),
  hang: (_auth: unknown, _data: unknown, _callback: Answer) => {},
  async ended(_auth: unknown, data: unknown, callback: Answer) {
    setTimeout(() => callback(null, data), 1)
  },
}

const actions = {
  fail: (_data: unknown, callback: Answer) => callback('no such theme'),
  hang: (_data: unknown, _callback: Answer) => {},
}

/** Milliseconds in which requests end surely: no outcome hangs on it. */
const LONG = 25_000

/** Milliseconds for calls that end by a refusal only, so that none of them is waited for with `legacy`. */
const refusedWithin = (isLegacy: boolean) => (isLegacy ? 200 : LONG)

const passed = (delay: number) => new Promise((resolve) => setTimeout(resolve, delay))

/**
 * `done`, or the code of the first failure. Calls that never end are left alone after a number of
 * milliseconds.
 */
async function first(requests: readonly Promise<unknown>[], most: number): Promise<string> {
  const failed = Promise.all(requests).then(
    () => 'done',
    (error: { code: string }) => error.code,
  )
  return Promise.race([failed, new Promise<string>((resolve) => setTimeout(resolve, most, 'done'))])
}

const many = <Result>(count: number, make: (index: number) => Result): Result[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** What a callback gets. */
const called = (run: (callback: (error: unknown, data?: unknown) => void) => unknown) =>
  new Promise<unknown>((resolve) => run((error, data) => resolve(error ?? data)))

/** Its code, or what it is. */
const seen = (error: unknown) => (error instanceof Error ? `an error: ${error.message}` : error)

/**
 * What requests come to in a second that does not pass, however slow the machine is. With what a
 * second before left unused, twice a rate fits into it.
 */
async function inOneSecond(run: () => Promise<string>): Promise<string> {
  const clock = sinon.useFakeTimers({ now: Date.now(), toFake: ['performance', 'Date'] })
  try {
    return await run()
  } finally {
    clock.restore()
  }
}

/** Callbacks of calls that are answered together. */
const unanswered: Answer[] = []

/** Calls in rounds: each waits for the one before. */
async function inRounds(rounds: number, call: () => Promise<unknown>): Promise<string> {
  for (let round = 1; round < rounds; round += 1) await first(many(500, call), LONG)
  return first(many(500, call), LONG)
}

/** Lets 31 seconds pass while a call runs. */
async function late(call: () => Promise<unknown>, isRunning: () => boolean): Promise<string> {
  const clock = sinon.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  })
  try {
    let outcome = 'still running'
    call().then(
      () => {},
      ({ code }: { code: string }) => {
        outcome = code
      },
    )
    await until(isRunning)
    await clock.tickAsync(31_000)
    return outcome
  } finally {
    clock.restore()
  }
}

const NO_PINGS = { pingInterval: 3_600_000 }
let running = 0

const ROWS: readonly Row[] = [
  {
    worked: 'A client’s publication over 32 KiB',
    run: ({ client }) => first([client.publish('a', 'x'.repeat(40_000))], LONG),
    now: 'too_large',
    legacy: 'done',
  },
  {
    worked: 'A message over 1 MiB, such as a call’s argument',
    run: ({ client }) => first([client.rpc('echo', MIB)], LONG),
    now: 'too_large',
    legacy: 'done',
  },
  {
    worked: 'A client’s call that takes longer than 30 s',
    options: {
      ...NO_PINGS,
      socketController: {
        hang: (_auth, _data, _callback) => {
          running += 1
        },
      },
    },
    run: ({ client }) => {
      running = 0
      return late(
        () => client.rpc('hang'),
        () => running === 1,
      )
    },
    now: 'timeout',
    legacy: 'still running',
  },
  {
    worked: 'A call of the server that takes longer than 30 s',
    options: NO_PINGS,
    run: ({ socket, client }) => {
      running = 0
      client.register({
        hang: (_data, _callback) => {
          running += 1
        },
      })
      return late(
        () => socket.rpc('hang'),
        () => running === 1,
      )
    },
    now: 'timeout',
    legacy: 'still running',
  },
  {
    worked: 'More than 1,000 calls of a client at once',
    run: ({ client, isLegacy }) =>
      first(
        many(1001, () => client.rpc('hang')),
        refusedWithin(isLegacy),
      ),
    now: 'too_many_calls',
    legacy: 'done',
  },
  {
    worked: 'Calls of a client at once with more than 8 Mi UTF-16 code units of arguments',
    run: ({ client, isLegacy }) =>
      first(
        many(9, () => client.rpc('hang', MIB.slice(100))),
        refusedWithin(isLegacy),
      ),
    now: 'too_many_calls',
    legacy: 'done',
  },
  {
    worked: 'More than 2,000 calls at once in the new client',
    options: { limits: { callsIn: 5000 } },
    run: ({ client, isLegacy }) =>
      first(
        many(2001, () => client.rpc('hang')),
        refusedWithin(isLegacy),
      ),
    now: 'too_many_calls',
    legacy: 'done',
  },
  {
    worked: 'More than 1,000 calls in the new client while it is away',
    run: ({ client, isLegacy }) => {
      client.suspend()
      return first(
        many(1001, () => client.rpc('echo')),
        refusedWithin(isLegacy),
      )
    },
    now: 'queue_full',
    legacy: 'done',
  },
  {
    worked: 'More than 1,000 calls of the server to one client at once',
    run: ({ socket, isLegacy }) =>
      first(
        many(1001, () => socket.rpc('hang')),
        refusedWithin(isLegacy),
      ),
    now: 'too_many_calls',
    legacy: 'done',
  },
  {
    worked: 'More than 1,000 publications of a client in a second on a channel',
    run: ({ client }) => inOneSecond(() => inRounds(5, () => client.publish('a', 1))),
    now: 'too_many_messages',
    legacy: 'done',
  },
  {
    worked: 'Publications of a client on a channel with more than 8 MiB in a second',
    run: ({ client }) => inOneSecond(() => inRounds(2, () => client.publish('a', 'x'.repeat(32_000)))),
    now: 'too_many_messages',
    legacy: 'done',
  },
  {
    worked: 'More than 10 broadcasts of a client in a second',
    run: ({ client }) =>
      inOneSecond(() =>
        first(
          many(21, (index) => client.broadcast(index)),
          LONG,
        ),
      ),
    now: 'too_many_messages',
    legacy: 'done',
  },
  {
    worked: 'More than 10,000 messages of a client in a second',
    run: ({ client }) => inOneSecond(() => inRounds(21, () => client.rpc('echo', 1))),
    now: 'too_many_messages',
    legacy: 'done',
  },
  {
    worked: 'More than 1,000 channels of a socket',
    run: ({ client }) =>
      first(
        many(1001, (index) => client.subscribe(`a${index}`)),
        LONG,
      ),
    now: 'too_many_subscriptions',
    legacy: 'done',
  },
  {
    worked: 'Answers of more than 16 Mi UTF-16 code units that wait for a socket',
    options: {
      socketController: {
        big: (_auth, _data, callback: Answer) => {
          unanswered.push(callback)
          if (unanswered.length === 28) for (const answer of unanswered.splice(0)) answer(null, MIB)
        },
      },
    },
    run: ({ client }) =>
      first(
        many(28, () => client.rpc('big')),
        LONG,
      ),
    now: 'too_large',
    legacy: 'done',
  },
  {
    worked: 'A client that does not read while more than 1 Mi UTF-16 code units of publications wait for it',
    options: { limits: { readTimeout: 500 } },
    run: async ({ site, isLegacy }) => {
      const known = new Set(site.sockets.sockets())
      const reader = await STALLING.websocket(site, 'a')
      const [stalled] = site.sockets.sockets().filter((socket) => !known.has(socket))
      for (const data of many(15, () => MIB.slice(100))) await site.sockets.publish('a', data)
      await Promise.race([until(() => stalled?.isClosed), passed(isLegacy ? 1000 : LONG)])
      reader.destroy()
      return site.log.map(({ details }) => details.code).filter((code) => code === 'slow_consumer')
    },
    now: ['slow_consumer'],
    legacy: [],
  },
  {
    worked: 'In the new client, `error === "No such order"`',
    run: async ({ client }) =>
      seen(await called((callback) => client.rpc('refuse', 'No such order', callback))),
    now: 'an error: No such order',
    legacy: 'No such order',
  },
  {
    worked: 'In the new client, `error === "Forbidden"`',
    options: { channels: { open: { subscribe: true } } },
    run: async ({ client }) => [
      seen(await called((callback) => client.subscribe('secret', callback))),
      seen(await called((callback) => client.publish('open', 1, callback))),
    ],
    now: ['an error: Forbidden: secret', 'an error: Forbidden: open'],
    legacy: ['Forbidden', 'Forbidden'],
  },
  {
    worked: 'In the new client, `error.status` of `callback({ status: 404 })`',
    run: async ({ client }) => [
      ((await called((callback) => client.rpc('refuse', { status: 404 }, callback))) as { status?: number })
        .status,
      seen(await called((callback) => client.rpc('fail', 3, callback))),
    ],
    now: [undefined, 'an error: No stock'],
    legacy: [404, { message: 'No stock', left: 3 }],
  },
  {
    worked: 'On the server, `error === "no such theme"` in the callback of `rpc`',
    run: async ({ site, socket }) =>
      seen(await called((callback) => site.sockets.rpc(socket, 'fail', 1, callback))),
    now: 'an error: no such theme',
    legacy: 'no such theme',
  },
  {
    worked: '`Object.keys(socket.channels)` on the server',
    run: async ({ client, socket }) => {
      await client.subscribe('orders')
      await client.subscribe('__proto__')
      return Object.keys(socket.channels)
    },
    now: ['0', '1'],
    legacy: ['orders', '__proto__'],
  },
  {
    worked: 'Pages of another origin',
    run: async ({ site }) => {
      const response = await site.askToken({ headers: { Origin: 'https://elsewhere.example' } })
      return [response.status, ((await response.json()) as { code: string }).code]
    },
    now: [403, 'origin_refused'],
  },
  {
    worked: 'A client’s broadcast where the server has a `publish` listener',
    run: ({ site, client }) => {
      site.sockets.on('publish', () => true)
      return first([client.broadcast(1)], LONG)
    },
    now: 'forbidden',
  },
  {
    worked: 'An `authentication` listener that calls `callback(error)`, or `callback(null, false)`',
    run: async ({ site }) => {
      site.sockets.on('authentication', (_socket, _auth, callback) => callback(null, false))
      return (await rejection(site.client({ reconnect: false }).ready())).code
    },
    now: 'forbidden',
  },
  {
    worked: 'An `async` handler that calls `callback` after it has ended',
    run: ({ client }) => called((callback) => client.rpc('ended', 5, callback)),
    now: undefined,
  },
  {
    worked: '`publish(channel, JSON.stringify(data))`, which reached subscribers as the object',
    run: async ({ site, client }) => {
      await client.subscribe('a')
      const message = next(client, 'message')
      await site.sockets.publish('a', '{"b":1}')
      return message
    },
    now: ['a', '{"b":1}'],
  },
  {
    worked: 'A callback of `subscribe`, `unsubscribe`, `publish` or `broadcast` was called on a refusal only',
    run: async ({ client }) => {
      const errors = [
        await called((callback) => client.subscribe('a', (error) => callback(null, error))),
        await called((callback) => client.publish('a', 1, (error) => callback(null, error))),
        await called((callback) => client.broadcast(1, (error) => callback(null, error))),
        await called((callback) => client.unsubscribe('a', (error) => callback(null, error))),
      ]
      return errors
    },
    now: [null, null, null, null],
  },
  {
    worked: 'SockJS’s own members of a socket on the server: `write`, `headers`, `on("close", listener)`',
    run: async ({ socket }) => {
      const members = socket as unknown as { on(event: string, listener: () => void): void }
      const missing = ['write', 'headers'].filter((name) => !(name in socket))
      return [...missing, thrownBy(() => members.on('close', () => {})) instanceof TypeError]
    },
    now: ['write', 'headers', true],
  },
  {
    worked: 'The text of an error of `authentication`, in the answer to the token request',
    options: {
      authentication: () => {
        throw new Error('of the database')
      },
    },
    run: async ({ site }) => (await (await site.askToken()).text()).includes('of the database'),
    now: false,
  },
]

/** Rows for which there has to be a Redis. They are told of below. */
const REDIS_ROWS = [
  'Other programs’ `redis.publish(channel, json)`',
  'Other programs’ `redis.subscribe(channel)`, which heard what clients publish',
]

describe('what worked with the legacy pair', function () {
  this.timeout(60_000)
  const open = useSites()

  for (const { worked, options, run, now, legacy = now } of ROWS) {
    for (const isLegacy of [false, true]) {
      it(`${worked}: ${isLegacy ? 'with `legacy`' : 'by default'}`, async () => {
        const site = await open({ socketController: controller, legacy: isLegacy, ...options })
        const needsNoClient = options?.authentication !== undefined
        const world = needsNoClient ? {} : await site.pair({ legacy: isLegacy }, { ...actions })
        expect(await run({ site, isLegacy, ...world } as World)).to.deep.equal(isLegacy ? legacy : now)
      })
    }
  }

  it('is lifted by the options by which `legacy` does it, one by one', async () => {
    const site = await open({ socketController: controller, plainErrors: true, channelsAsObject: true })
    const { client, socket } = await site.pair({ plainErrors: true }, { ...actions })
    expect(await called((callback) => client.rpc('refuse', 'no', callback))).to.equal('no')
    expect(await called((callback) => socket.rpc('fail', 1, callback))).to.equal('no such theme')
    await client.subscribe('a')
    expect(socket.channels).to.deep.equal({ a: true })
    expect(await rejection(client.rpc('refuse', 'no')))
      .to.be.instanceOf(Error)
      .with.property('code', 'application_error')
    client.suspend()
    const failure = called((callback) => client.rpc('echo', 1, callback))
    await client.end()
    expect(await failure).to.be.a('string')
  })

  it('leaves what the server itself does with channels alone, where they are an object', async () => {
    const site = await open({ legacy: true, limits: { subscriptions: 2 } })
    const { client, socket } = await site.pair()
    await client.subscribe('a')
    await client.subscribe('b')
    expect((await rejection(client.subscribe('c'))).code).to.equal('too_many_subscriptions')
    const [page] = await site.sockets.cluster.sockets({ sid: socket.sid }).then(({ sockets }) => sockets)
    expect(page?.channels).to.have.members(['a', 'b'])
    await client.end()
    await until(() => site.sockets.channels().length === 0)
    expect(Object.keys(socket.channels)).to.deep.equal([])
  })
})

describe('what worked with the legacy pair, through Redis', () => {
  const open = useSites()
  let redis: RedisProcess

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  const site = async (legacyChannels?: readonly string[], options: SiteOptions = {}) => {
    const engine = redisEngine({ url: redis.url, legacyChannels })
    const secret = 'the same on all nodes, and long enough'
    const one = await open({ engine, legacy: true, secret, ...options })
    return { engine, sockets: one.sockets, ready: () => one.ready() }
  }

  /** Subscribes a client. @returns what it gets from then on */
  const listenOn = (channel: string) => async (client: TokenSocket) => {
    const got: unknown[] = []
    client.onmessage((_channel, data) => got.push(data))
    await client.subscribe(channel)
    return got
  }

  it('is a program that publishes on a channel, with the client of that time', async () => {
    const program = plainRedis(redis.port)
    const [deaf, hearing] = [await site(), await site(['news', '___all___'])]
    const clients = [await deaf.ready(), await hearing.ready()]
    const heard: unknown[][] = [[], []]
    for (const [index, client] of clients.entries()) {
      await client.subscribe('news')
      client.onmessage((channel, data) => heard[index]?.push([channel, data]))
    }
    await program.publish('news', JSON.stringify({ text: 'Hello' }))
    await program.publish('___all___', 'to all')
    await until(() => heard[1]?.length === 2)
    expect(heard).to.deep.equal([
      [],
      [
        ['news', { text: 'Hello' }],
        ['news', 'to all'],
      ],
    ])
    program.end()
  })

  it('is a program that hears what clients publish, by `publishLegacy`', async () => {
    const program = plainRedis(redis.port)
    const messages: unknown[] = []
    await program.subscribe('orders', (text) => messages.push(JSON.parse(text)))
    const { engine, ...one } = await site(['orders'])
    const client = await one.ready()
    await client.publish('orders', { id: 1 })
    one.sockets.on('published', (_socket, { channel, data }) => engine.publishLegacy(channel, data))
    await client.publish('orders', { id: 2 })
    await until(() => messages.length > 0)
    expect(messages).to.deep.equal([{ id: 2 }])
    program.end()
  })

  it('is a legacy server beside two new ones: each client gets each message once', async () => {
    const nodes = [await site(['news', '___all___']), await site(['news', '___all___'])]
    for (const { engine, sockets } of nodes)
      sockets.on('published', (_socket, { channel, data }) => engine.publishLegacy(channel, data))
    const old = await LegacyServer.create(redis.port)
    const onOld = new TokenSocket({ host: old.host, headers: { Cookie: old.cookie } })
    await onOld.ready()
    const clients = [...(await Promise.all(nodes.map((node) => node.ready()))), onOld]
    const got = await Promise.all(clients.map(listenOn('news')))
    const sent: string[] = []
    for (const [index, client] of clients.entries()) {
      sent.push(`publication ${index}`, `broadcast ${index}`)
      // The legacy server answers neither.
      void client.publish('news', `publication ${index}`).catch(() => {})
      void client.broadcast(`broadcast ${index}`).catch(() => {})
      await until(() => got.every((list) => sent.every((data) => list.includes(data))))
    }
    // What comes twice comes before these, which come by the engine and by Redis.
    await nodes[0]?.sockets.publish('news', 'end')
    const program = plainRedis(redis.port)
    await program.publish('news', 'END')
    await until(() =>
      got.every((list, index) => list.includes('END') && (index === 2 || list.includes('end'))),
    )
    for (const list of got)
      expect(list.filter((data) => data !== 'end' && data !== 'END').sort()).to.deep.equal([...sent].sort())
    program.end()
    await onOld.end().catch(() => {})
    await old.stop()
  })

  it('never lets a client write where the rules refuse it, or to other Redis channels', async () => {
    const node = await site(['news', '___all___'], {
      channels: { news: { subscribe: true, publish: false }, '*': { publish: true } },
    })
    node.sockets.on('published', (_socket, { channel, data }) => node.engine.publishLegacy(channel, data))
    const program = plainRedis(redis.port)
    const heard: string[] = []
    await program.subscribe('app-config', (text) => heard.push(text))
    const [member, victim] = [await node.ready(), await node.ready()]
    const [got = []] = await Promise.all([victim].map(listenOn('news')))
    for (const name of ['news', '___all___', '___sync___'])
      expect((await rejection(member.publish(name, 'forged'))).code, name).to.equal('forbidden')
    await member.publish('app-config', 'forged')
    const end = plainRedis(redis.port)
    await end.publish('app-config', 'end')
    await end.publish('news', 'end')
    await until(() => got.length > 0 && heard.length > 0)
    expect([got, heard]).to.deep.equal([['end'], ['end']])
    program.end()
    end.end()
  })
})

describe('docs/MIGRATION.md', () => {
  const text = readFileSync(new URL('../../docs/MIGRATION.md', import.meta.url), 'utf8')
  const section = text.split('## What breaks\n')[1]?.split('\n## ')[0] ?? ''
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| What worked'))
    .map((line) => line.split('|').map((cell) => cell.trim()))

  it('has a row under “What breaks” for each of these, and no other', () => {
    expect(rows.map(([, worked]) => worked)).to.deep.equal([
      ...ROWS.slice(0, 21).map(({ worked }) => worked),
      ...REDIS_ROWS,
      ...ROWS.slice(21).map(({ worked }) => worked),
    ])
  })

  it('gives the limits that `legacy` sets', () => {
    const units = new Map([
      ['an hour', 3_600_000],
      ...[4, 16, 64].flatMap((count) =>
        ['MiB', 'Mi'].map((unit) => [`${count} ${unit}`, count * 1024 * 1024] as const),
      ),
    ])
    const said = rows.flatMap(([, , , option = '', sets = '']) => {
      const name = /`limits\.(\w+)`/.exec(option)?.[1] as keyof typeof LEGACY_LIMITS | undefined
      if (!name || sets === 'no') return []
      return [[name, units.get(sets) ?? Number(sets.replaceAll(',', ''))] as const]
    })
    for (const [name, limit] of said) expect(LEGACY_LIMITS[name], name).to.equal(limit)
    expect(new Set(said.map(([name]) => name))).to.have.keys(Object.keys(LEGACY_LIMITS))
  })

  it('says of each what happens, and whether `legacy` lifts it', () => {
    for (const { worked, now, legacy } of ROWS) {
      const [, , happens = '', , sets = ''] = rows.find(([, first]) => first === worked) ?? []
      if (typeof now === 'string' && /^[a-z_]+$/.test(now)) expect(happens, worked).to.include(`\`${now}\``)
      expect(sets === 'no', worked).to.equal(legacy === undefined)
    }
  })
})
