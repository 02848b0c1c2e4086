/**
 * Every public method that returns a promise, called with nonsense and then left alone: no rejection may be unhandled, which
 * would end a Node process, and each call that is awaited gets its refusal.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { TokenSocket } from '@token-socket/client'
import { MemoryEngine, TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import { rejection, type Site, turn, useSites } from './fixture.js'

const LONG = 'x'.repeat(5000)
const circular: Record<string, unknown> = {}
circular.self = circular

/** Arguments that are wrong for most methods, or right but refused. */
const ARGUMENTS: readonly (readonly unknown[])[] = [
  [],
  [undefined, undefined],
  [null, null, null],
  [LONG],
  [LONG, LONG, LONG],
  ['', circular, circular],
  ['forbidden'],
  ['forbidden', 1n],
  ['nobody.node', 'x', circular],
  [{ uid: 5 }, {}],
  ['x', { limit: -1, after: 'garbage' }],
]

/** What ends the object itself, so that later calls of a test would find nothing. */
const ENDS = new Set(['constructor', 'end', 'shutdown', 'suspend', 'close'])

/** The names of a class's methods that its source does not mark as internal. */
function publicMethods(path: string, prototype: object): string[] {
  const source = readFileSync(new URL(`../../packages/${path}`, import.meta.url), 'utf8')
  const internal = [...source.matchAll(/@internal \*\/\s+(?:get )?(\w+)/g)].map(([, name]) => name)
  const multiline = [...source.matchAll(/@internal\s+\*\/\s+(?:get )?(\w+)/g)].map(([, name]) => name)
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => typeof value === 'function' && !ENDS.has(name))
    .map(([name]) => name)
    .filter((name) => !internal.includes(name) && !multiline.includes(name))
}

/** The prototype of the class that has a method of its own: outside production the server's sockets are of a class below it. */
function prototypeWith(method: string, target: object): object {
  let prototype = Object.getPrototypeOf(target) as object
  while (!Object.hasOwn(prototype, method)) prototype = Object.getPrototypeOf(prototype)
  return prototype
}

/** Calls methods with all arguments and leaves the promises alone. @returns the names of those that returned promises */
async function leaveAlone(target: object, names: readonly string[]): Promise<Map<string, unknown[]>> {
  const promising = new Map<string, unknown[]>()
  for (const name of names) {
    for (const args of ARGUMENTS) {
      const returned = call(target, name, args)
      if (!(returned instanceof Promise)) continue
      promising.set(name, [...(promising.get(name) ?? []), returned])
    }
  }
  for (let turns = 0; turns < 20; turns += 1) await turn()
  return promising
}

/** What a method returns; some refuse at once, by throwing. */
function call(target: object, name: string, args: readonly unknown[]): unknown {
  try {
    return (Reflect.get(target, name) as (...args: unknown[]) => unknown).apply(target, [...args])
  } catch {
    return undefined
  }
}

/** Which of them reject, for a caller that awaits them. */
async function refusing(promising: Map<string, unknown[]>): Promise<string[]> {
  const names: string[] = []
  for (const [name, promises] of promising) {
    const ends = await Promise.allSettled(promises.map((one) => Promise.race([one, turn()])))
    if (ends.some(({ status }) => status === 'rejected')) names.push(name)
  }
  return names.sort()
}

describe('a promise that is left alone', () => {
  const start = useSites()
  let site: Site
  let client: TokenSocket
  let stray: unknown[]
  const note = (cause: unknown) => stray.push(cause)

  beforeEach(async () => {
    const channels = { open: { subscribe: true } }
    site = await start({ app: express(), channels, limits: { callTimeout: 50 } })
    client = await site.ready({ callTimeout: 50, reconnect: false })
    stray = []
    process.prependListener('unhandledRejection', note)
  })

  afterEach(() => {
    process.removeListener('unhandledRejection', note)
    expect(stray).to.deep.equal([])
  })

  const targets: readonly [name: string, path: string, target: () => object, refuse: readonly string[]][] = [
    [
      'the server',
      'server/src/server.ts',
      () => site.sockets,
      ['history', 'members', 'publish', 'subscribe', 'unsubscribeAll'],
    ],
    [
      'the cluster',
      'server/src/cluster.ts',
      () => site.sockets.cluster,
      ['count', 'disconnect', 'isConnected', 'rpc', 'subscribe', 'unsubscribe'],
    ],
    [
      'a socket of the server',
      'server/src/socket/server-socket.ts',
      () => site.sockets.sockets()[0] as object,
      ['publish', 'rpc', 'subscribe'],
    ],
    [
      'a client',
      'client/src/client.ts',
      () => client,
      ['broadcast', 'history', 'publish', 'rpc', 'subscribe'],
    ],
    [
      'a channel',
      'client/src/channels/channel.ts',
      () => client.channel('forbidden'),
      ['history', 'send', 'subscribe'],
    ],
  ]

  for (const [name, path, find, refuse] of targets) {
    describe(`by ${name}`, () => {
      it('is no unhandled rejection, and refuses a caller that awaits it', async () => {
        const target = find()
        const promising = await leaveAlone(
          target,
          publicMethods(path, prototypeWith(refuse[0] as string, target)),
        )
        await new Promise((resolve) => setTimeout(resolve, 150))
        expect(await refusing(promising)).to.include.members([...refuse])
      })

      it('is none either once everything has ended', async () => {
        const target = find()
        await client.end()
        await site.sockets.shutdown()
        const promising = await leaveAlone(
          target,
          publicMethods(path, prototypeWith(refuse[0] as string, target)),
        )
        expect([...promising.keys()]).to.include.members([...refuse])
      })
    })
  }

  it('is none by a broadcast of what is not JSON', async () => {
    site.sockets.broadcast(circular)
    for (let turns = 0; turns < 20; turns += 1) await turn()
    expect(await rejection(site.sockets.broadcast(1n))).to.include({ code: 'unserializable' })
  })

  it('is none by a shutdown that fails', async () => {
    const engine = Object.assign(new MemoryEngine(), { close: () => Promise.reject(new Error('disk full')) })
    const { sockets } = new OneServer(engine)
    sockets.shutdown()
    for (let turns = 0; turns < 20; turns += 1) await turn()
    expect(await rejection(sockets.shutdown())).to.have.property('message', 'disk full')
  })
})

/** A server without clients. */
class OneServer {
  readonly sockets: TokenSocketServer

  constructor(engine: MemoryEngine) {
    const app = express()
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    this.sockets = new TokenSocketServer({
      app,
      server: createServer(app),
      engine,
      logger,
      secret: 's'.repeat(32),
    })
  }
}
