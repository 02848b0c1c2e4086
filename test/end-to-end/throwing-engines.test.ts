/** An engine, which an application may write, that throws at once where it should reject: both have the same end. */
import { type Engine, MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import { type Site, turn, useSites } from './fixture.js'

const METHODS = [
  'broker.subscribe',
  'broker.unsubscribe',
  'broker.publish',
  'broker.broadcast',
  'broker.command',
  'history.read',
  'history.position',
  'presence.enter',
  'presence.leave',
  'presence.members',
  'tickets.put',
  'tickets.take',
  'tickets.revoke',
] as const

const WAYS: Readonly<Record<string, () => Promise<never>>> = {
  throws: () => {
    throw new Error('away')
  },
  rejects: async () => {
    throw new Error('away')
  },
}

/** An engine of one process, one of whose methods fails as long as it is told to. */
class FailingEngine {
  readonly engine: Engine = new MemoryEngine()
  isFailing = false

  constructor(method: (typeof METHODS)[number], fail: () => Promise<never>) {
    const [part = '', name = ''] = method.split('.')
    const object = this.engine[part as 'broker'] as unknown as Record<string, (...args: unknown[]) => unknown>
    const real = object[name]?.bind(object)
    object[name] = (...args) => (this.isFailing ? fail() : real?.(...args))
  }
}

/** What a promise came to: the code of its error, or that it was kept. */
async function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'ok',
    (error) => error.code ?? error.message,
  )
}

/** All that reaches an engine, one after the other. @returns how each of it ended */
async function use(site: Site): Promise<string[]> {
  const client = site.client({ reconnect: false, callTimeout: 5000, logLevel: 'none' })
  const outcomes = [await outcome(client.ready())]
  const socket = site.sockets.sockets().at(-1)
  const steps: (() => Promise<unknown> | undefined)[] = [
    () => client.subscribe('a'),
    () => socket && site.sockets.subscribe(socket, 'b'),
    () => socket && site.sockets.subscribe(socket, 'b'),
    () => client.publish('a', 1),
    () => client.history('a'),
    () => site.sockets.publish('b', 1),
    () => site.sockets.broadcast(1),
    () => site.sockets.members('a'),
    () => client.unsubscribe('a'),
    () => site.sockets.unsubscribeAll('b'),
    () => site.sockets.cluster.disconnect({ uid: 'ann' }),
    () => client.end(),
  ]
  for (const step of steps) outcomes.push(await outcome(Promise.resolve().then(step)))
  for (let turns = 0; turns < 5; turns += 1) await turn()
  return outcomes
}

describe('an engine that throws', () => {
  const start = useSites()

  async function run(method: (typeof METHODS)[number], fail: () => Promise<never>) {
    const failing = new FailingEngine(method, fail)
    const site = await start({
      engine: failing.engine,
      authentication: async () => ({ uid: 'ann' }),
      channels: { '*': { subscribe: true, publish: true, presence: true, history: { ttl: 60_000 } } },
    })
    failing.isFailing = true
    const failed = await use(site)
    failing.isFailing = false
    return { failed, after: await use(site) }
  }

  for (const method of METHODS) {
    it(`from ${method} is like one that rejects, and works again once it does not`, async () => {
      const [throwing, rejecting] = await Promise.all(
        ['throws', 'rejects'].map((way) => run(method, WAYS[way] as () => Promise<never>)),
      )
      expect(throwing).to.deep.equal(rejecting)
      expect(new Set(throwing?.after)).to.deep.equal(new Set(['ok']))
    })
  }
})
