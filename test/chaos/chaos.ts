/** Nodes and Redis are killed under load; what was acknowledged has to come to everybody once and in order. */
import { type RpcError, TokenSocket } from '@token-socket/client'
import type { ReverseProxy } from '../browser/reverse-proxy.js'
import { startBalancer } from '../cluster/balancer.js'
import { freePort } from '../ports.js'
import { Random } from '../protocol/random.js'
import { RedisProcess } from '../redis/redis-process.js'
import { ChaosNode } from './chaos-node.js'
import { Witness } from './witness.js'

export interface ChaosSettings {
  readonly seed: number
  readonly nodes: number
  readonly clients: number
  readonly channels: number
  /** How many publications are to be acknowledged. */
  readonly publications: number
  /** Milliseconds between two kills of a node, about. */
  readonly nodeEvery: number
  /** Milliseconds between two kills of Redis, about. */
  readonly redisEvery: number
  /** Hears now and then how far it is. */
  progress?(report: ChaosReport): void
}

export interface ChaosReport {
  readonly acknowledged: number
  /** Tries that failed; each was made again under the same key. */
  readonly retries: number
  readonly deliveries: number
  readonly nodeKills: number
  readonly redisKills: number
  readonly gaps: number
  readonly recoveries: number
  readonly seconds: number
  /** What must not be: the first few. */
  readonly faults: readonly string[]
  readonly faultCount: number
}

/** What makes a publisher try again: nothing else may happen to it. */
const PASSING = new Set(['connection_lost', 'timeout', 'engine_unavailable', 'queue_full', 'shutting_down'])

/** Milliseconds within which everybody has to have everything when all is well again. */
const SETTLING = 60_000

/** Runs until all is published and everybody has it. */
export async function chaos(settings: ChaosSettings): Promise<ChaosReport> {
  const run = new Chaos(settings)
  try {
    return await run.run()
  } finally {
    await run.stop()
  }
}

class Chaos {
  readonly #settings: ChaosSettings
  readonly #random: Random
  readonly #began = performance.now()
  readonly #channels: string[]
  readonly #witnesses: Witness[] = []
  /** What was acknowledged, by channel. */
  readonly #acknowledged = new Map<string, string[]>()
  readonly #faults: string[] = []
  #nodes: ChaosNode[] = []
  #redis!: RedisProcess
  #proxy!: ReverseProxy
  #count = 0
  #retries = 0
  #nodeKills = 0
  #redisKills = 0
  #isOver = false

  constructor(settings: ChaosSettings) {
    this.#settings = settings
    this.#random = new Random(settings.seed)
    this.#channels = Array.from({ length: settings.channels }, (_, index) => `kept-${index}`)
    for (const channel of this.#channels) this.#acknowledged.set(channel, [])
  }

  async run(): Promise<ChaosReport> {
    await this.#start()
    const { clients, publications, progress } = this.#settings
    const publishers = Array.from({ length: Math.min(clients, 40) }, (_, index) => this.#publisher(index))
    const killers = [this.#killNodes(), this.#killRedis()]
    const timer = setInterval(() => progress?.(this.#report()), 1000)
    try {
      await Promise.all(publishers)
      this.#isOver = true
      await Promise.all(killers)
      await this.#settle()
    } finally {
      clearInterval(timer)
    }
    if (this.#count < publications) this.#faults.push(`only ${this.#count} were acknowledged`)
    return this.#report()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#witnesses.map(({ client }) => client.end()))
    await this.#proxy?.close()
    await Promise.all(this.#nodes.map((node) => node.kill()))
    await this.#redis?.stop()
  }

  async #start(): Promise<void> {
    const { nodes, clients } = this.#settings
    // What it acknowledges is in the file: a crash loses none of it.
    this.#redis = await RedisProcess.start('--appendonly', 'yes', '--appendfsync', 'always')
    const ports = await Promise.all(Array.from({ length: nodes }, freePort))
    const engine = { url: this.#redis.url }
    this.#nodes = ports.map((port) => new ChaosNode({ port, engine }))
    await Promise.all(this.#nodes.map((node) => node.start()))
    this.#proxy = await startBalancer(ports)
    const host = new URL(this.#proxy.origin).host
    for (let index = 0; index < clients; index += 1) {
      const channel = this.#channels[index % this.#channels.length] ?? ''
      // A user each, as only so many idempotency keys of one user are known.
      const authentication = { uid: `user-${index}` }
      const client = new TokenSocket({
        host,
        transports: ['websocket'],
        authentication,
        callTimeout: 10_000,
      })
      const witness = new Witness(client, [channel])
      this.#witnesses.push(witness)
    }
    await Promise.all(
      this.#witnesses.map(async ({ client, channels }) => {
        await client.ready()
        await Promise.all(channels.map((channel) => client.subscribe(channel)))
      }),
    )
  }

  /** Publishes one after the other, each until it is acknowledged; more than asked for, until something was killed and is back. */
  async #publisher(index: number): Promise<void> {
    const witness = this.#witnesses[index] as Witness
    const own = Math.ceil(this.#settings.publications / Math.min(this.#settings.clients, 40))
    for (let number = 0; (number < own || !this.#isTried) && !this.#isOver; number += 1) {
      const channel = this.#random.pick(this.#channels as [string])
      const value = `${index}-${number}`
      if (!(await this.#publish(witness.client, channel, value))) return
    }
  }

  /** Whether a node and Redis have been killed, and are back. */
  get #isTried(): boolean {
    return this.#nodeKills > 0 && this.#redisKills > 0
  }

  async #publish(client: TokenSocket, channel: string, value: string): Promise<boolean> {
    for (;;) {
      try {
        await client.publish(channel, value, { idempotencyKey: value })
        this.#count += 1
        this.#acknowledged.get(channel)?.push(value)
        return true
      } catch (error) {
        const { code } = error as RpcError
        if (!PASSING.has(code)) {
          this.#fault(`${channel}: ${value} failed with ${code}`)
          return false
        }
        this.#retries += 1
        await this.#sleep(50 + this.#random.number(200))
      }
    }
  }

  async #killNodes(): Promise<void> {
    while (await this.#pause(this.#settings.nodeEvery)) {
      const node = this.#random.pick(this.#nodes as [ChaosNode])
      await node.kill()
      await this.#sleep(this.#random.number(1000))
      // Redis may be away: it is ready when that is back.
      while (!node.isAlive) await node.start().catch(() => {})
      this.#nodeKills += 1
    }
  }

  async #killRedis(): Promise<void> {
    while (await this.#pause(this.#settings.redisEvery)) {
      await this.#redis.kill()
      await this.#sleep(this.#random.number(1000))
      await this.#redis.restart()
      this.#redisKills += 1
    }
  }

  /** @returns whether it goes on */
  async #pause(about: number): Promise<boolean> {
    const end = performance.now() + about / 2 + this.#random.number(about)
    while (performance.now() < end && !this.#isOver) await this.#sleep(50)
    return !this.#isOver
  }

  /** Resolves when everybody has everything, or late. */
  async #settle(): Promise<void> {
    const end = performance.now() + SETTLING
    while (this.#missing(1).length > 0 && performance.now() < end) await this.#sleep(100)
    for (const fault of this.#missing(Number.POSITIVE_INFINITY)) this.#fault(fault)
  }

  #missing(limit: number): string[] {
    const missing: string[] = []
    for (const [index, witness] of this.#witnesses.entries()) {
      for (const channel of witness.channels) {
        for (const value of this.#acknowledged.get(channel) ?? []) {
          if (witness.has(channel, value)) continue
          missing.push(`${channel}: ${value} never came to client ${index}`)
          if (missing.length >= limit) return missing
        }
      }
    }
    return missing
  }

  #fault(text: string): void {
    this.#faults.push(text)
  }

  #report(): ChaosReport {
    const sum = (of: (witness: Witness) => number) =>
      this.#witnesses.reduce((total, witness) => total + of(witness), 0)
    const faults = [...this.#faults, ...this.#witnesses.flatMap((witness) => witness.faults)]
    return {
      acknowledged: this.#count,
      retries: this.#retries,
      deliveries: sum(({ received }) => received),
      nodeKills: this.#nodeKills,
      redisKills: this.#redisKills,
      gaps: sum(({ gaps }) => gaps),
      recoveries: sum(({ recoveries }) => recoveries),
      seconds: (performance.now() - this.#began) / 1000,
      faults: faults.slice(0, 10),
      faultCount: faults.length,
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms))
  }
}
