/**
 * Every function that an application gives to a server, and how it may fail: it throws, rejects, or returns nonsense. Nothing
 * of it may end the process (mocha would report what is uncaught), and when it is whole again, clients are served.
 */
import { connect } from 'node:net'
import { expect } from 'chai'
import express, { type Express } from 'express'
import { type Site, type SiteOptions, turn, until, useSites } from './fixture.js'

const circular: Record<string, unknown> = {}
circular.self = circular

/** How a function fails. */
const FAILURES: Readonly<Record<string, () => unknown>> = {
  throws: () => {
    throw new Error('out of paper')
  },
  'throws nothing': () => {
    throw undefined
  },
  rejects: () => Promise.reject(new Error('out of paper')),
  'rejects with nothing': () => Promise.reject(),
  'returns a circular object': () => circular,
  'returns a promise of nonsense': async () => circular,
  'returns null': () => null,
}

type Broken = (...args: never[]) => unknown

/** Where the function stands. `whole` is what it does when it works. */
interface Place {
  readonly whole: Broken
  /** The options that hold it. */
  readonly options?: (broken: Broken) => SiteOptions
  /** Puts it elsewhere. */
  readonly put?: (site: Site, broken: Broken, app: Express) => void
}

const next = (...args: never[]) => (args[2] as unknown as () => void)()
const yes = () => true
const allow = (...args: never[]) => (args[2] as unknown as (error: null, yes: boolean) => void)(null, true)

function veto(event: 'authentication' | 'subscribe' | 'unsubscribe' | 'publish' | 'broadcast'): Place {
  return { whole: allow, put: (site, broken) => void site.sockets.on(event, broken as never) }
}

function logged(level: 'debug' | 'info' | 'warn' | 'error'): Place {
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  return {
    whole: () => {},
    options: (broken) => ({ debug: true, logger: { ...silent, [level]: broken } as never }),
  }
}

const PLACES: Readonly<Record<string, Place>> = {
  authentication: {
    whole: () => ({ uid: 'ann' }),
    options: (broken) => ({ authentication: broken as never }),
  },
  customMiddleware: { whole: next, options: (broken) => ({ customMiddleware: broken as never }) },
  origins: { whole: yes, options: (broken) => ({ origins: broken as never }) },
  'trust proxy': { whole: () => false, put: (_site, broken, app) => void app.set('trust proxy', broken) },
  filter: { whole: (...args: never[]) => args[2], options: (broken) => ({ filter: broken as never }) },
  'a function of the controller': {
    whole: yes,
    options: (broken) => ({
      socketController: { echo: (_auth: unknown, data: unknown) => data, probe: broken as never },
    }),
  },
  'a route': {
    whole: (...args: never[]) => (args[1] as unknown as { json(body: object): void }).json({}),
    options: (broken) => ({ routes: { probe: broken as never } }),
  },
  'a rule about subscribe': {
    whole: yes,
    options: (broken) => ({ channels: { '**': { subscribe: broken as never, publish: true } } }),
  },
  'a rule about publish': {
    whole: yes,
    options: (broken) => ({ channels: { '**': { subscribe: true, publish: broken as never } } }),
  },
  'a rule about presence': {
    whole: yes,
    options: (broken) => ({
      authentication: () => ({ uid: 'ann' }),
      channels: { '**': { subscribe: true, publish: true, presence: broken as never } },
    }),
  },
  'a listener of authentication': {
    whole: (...args: never[]) => (args[2] as unknown as () => void)(),
    put: (site, broken) => void site.sockets.on('authentication', broken as never),
  },
  'a listener of subscribe': veto('subscribe'),
  'a listener of unsubscribe': veto('unsubscribe'),
  'a listener of publish': veto('publish'),
  'a listener of broadcast': veto('broadcast'),
  'a listener of error': {
    whole: () => {},
    options: () => ({
      socketController: { echo: (_a: unknown, data: unknown) => data, probe: () => JSON.parse('') },
    }),
    put: (site, broken) => void site.sockets.on('error', broken as never),
  },
  'a listener of health': {
    whole: () => {},
    put: (site, broken) => void site.sockets.on('health', broken as never),
  },
  'debug of the logger': logged('debug'),
  'info of the logger': logged('info'),
  'warn of the logger': logged('warn'),
  'error of the logger': logged('error'),
}

describe('a function of the application', () => {
  const start = useSites()
  const stray: unknown[] = []
  const note = (cause: unknown) => stray.push(cause)

  before(() => process.on('unhandledRejection', note))
  after(() => process.removeListener('unhandledRejection', note))
  afterEach(() => expect(stray.splice(0)).to.deep.equal([]))

  /** A site whose function fails as long as it is told to. */
  async function siteWith(place: Place, failure: () => unknown) {
    const app = express()
    app.set('env', 'test')
    const state = { isBroken: false }
    // With three parameters: listeners that declare a callback answer by it.
    const broken = (one: never, two: never, three: never, ...rest: never[]) =>
      state.isBroken ? failure() : place.whole(one, two, three, ...rest)
    const site = await start({ app, limits: { vetoTimeout: 30 }, ...place.options?.(broken as Broken) })
    place.put?.(site, broken as Broken, app)
    return { site, state }
  }

  /** Does all that may call one of these functions. */
  async function provoke(site: Site): Promise<void> {
    const foreign = { Origin: 'https://foreign.example.com', 'X-Forwarded-For': '10.0.0.1, 10.0.0.2' }
    for (const headers of [{}, foreign]) {
      // Middleware that never calls `next` keeps the request, as anywhere in Express.
      const signal = AbortSignal.timeout(100)
      await site.askToken({ headers: headers as Record<string, string>, signal }).catch(() => {})
      await fetch(`${site.url}/sockets/info`, { headers: headers as Record<string, string> })
      await fetch(`${site.url}/sockets/000/abc/xhr`, {
        method: 'POST',
        headers: headers as Record<string, string>,
      })
      await upgrade(site.port, headers as Record<string, string>)
    }
    const client = site.client({ reconnect: false, callTimeout: 100 })
    const calls = [
      client.ready(),
      client.rpc('probe'),
      client.subscribe('room'),
      client.publish('room', 1),
      client.broadcast(1),
      client.unsubscribe('room'),
    ]
    await Promise.race([Promise.allSettled(calls), new Promise((resolve) => setTimeout(resolve, 150))])
    await site.sockets.publish('room', 1)
    await turn()
    await client.end()
  }

  for (const [name, place] of Object.entries(PLACES)) {
    for (const [how, failure] of Object.entries(FAILURES)) {
      it(`may fail: ${name} ${how}`, async () => {
        const { site, state } = await siteWith(place, failure)
        const client = await site.ready({ callTimeout: 10_000 })
        await client.subscribe('room')
        state.isBroken = true
        await provoke(site)
        expect(await client.rpc('echo', 'others are served')).to.equal('others are served')
        state.isBroken = false
        await site.servesHonestClients()
        if (name.endsWith('health')) state.isBroken = true
      })
    }
  }

  it('is caught in an upgrade that has waited for its turn', async () => {
    const { site, state } = await siteWith(PLACES['trust proxy'] as Place, FAILURES.throws as () => unknown)
    state.isBroken = true
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => upgrade(site.port, { Origin: site.url })),
    )
    expect(answers.every((answer) => answer.startsWith('HTTP/1.1 101'))).to.equal(true)
    state.isBroken = false
    await site.servesHonestClients()
  })
})

/** The first line that answers a WebSocket upgrade. */
async function upgrade(port: number, headers: Record<string, string>): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const lines = [
    'GET /sockets/websocket HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  let answer = ''
  let isOver = false
  socket.on('data', (data) => {
    answer += data
  })
  socket.on('close', () => {
    isOver = true
  })
  socket.on('error', () => {})
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await until(() => answer.includes('\r\n') || isOver)
  socket.destroy()
  return answer.split('\r\n', 1)[0] ?? ''
}
