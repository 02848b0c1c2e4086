/** A channel is taken from the sockets of one user while a node is stopped and Redis restarts. */
import { setTimeout as sleep } from 'node:timers/promises'
import { TokenSocket } from '@token-socket/client'
import { freePort } from '../ports.js'
import { RedisProcess } from '../redis/redis-process.js'
import { ChaosNode, type OrderReport } from './chaos-node.js'
import { RevokedMember } from './member.js'

export interface RevokeSettings {
  /** `revoke` closes the sockets; `reauthorize` takes the channel from them. */
  readonly order: 'revoke' | 'reauthorize'
  readonly sockets: number
  readonly nodes: number
  /** Milliseconds for which the last node is stopped. */
  readonly stopped: number
  /** Publications in a second. */
  readonly rate: number
}

/** What came of it on one node. */
export interface RevokedNode {
  readonly sockets: number
  readonly isStopped: boolean
  /**
   * Milliseconds to the last message that 99 % of its sockets got: from the order, or since the
   * stopped node goes on.
   */
  readonly p99: number
  /**
   * Messages that came after the end, or that a stopped node delivered though they are later than
   * the order.
   */
  readonly late: number
  /** Numbers of before, published while the node was there, that a socket of it did not get. */
  readonly missed: readonly number[]
  /** Sockets that kept the channel. */
  readonly left: number
}

export interface RevokeReport {
  readonly order: RevokeSettings['order']
  readonly nodes: readonly RevokedNode[]
  readonly published: number
  readonly answer: OrderReport
  /** What must not be. */
  readonly faults: readonly string[]
}

const CHANNEL = 'kept-room'

const UID = 'member'

/**
 * Milliseconds within which every socket has to have what is published, and to have lost the channel
 * when all nodes run again.
 */
const SETTLING = 60_000

const AUTH = { uid: UID, channels: { [CHANNEL]: { subscribe: false } } }

/** Runs it once. */
export async function revoke(settings: RevokeSettings): Promise<RevokeReport> {
  const run = new Revocation(settings)
  try {
    return await run.run()
  } finally {
    await run.stop()
  }
}

/** What is said of a run. */
export function revokeLines({ order, nodes, published, answer, faults }: RevokeReport): string[] {
  const about = nodes.map(({ sockets, isStopped, p99, late, missed, left }, index) => {
    const since = isStopped ? 'stopped; from SIGCONT' : 'from the order'
    return `  node ${index + 1}: ${sockets} sockets, ${since} to the last message p99 ${p99.toFixed(0)} ms, ${late} after the end, ${missed.length} missed before, ${left} kept the channel`
  })
  return [
    `${order}: ${published} published, ${JSON.stringify(answer)}`,
    ...about,
    ...faults.map((fault) => `  ${fault}`),
  ]
}

class Revocation {
  readonly #settings: RevokeSettings
  readonly #members: RevokedMember[] = []
  /** How many messages were acknowledged. */
  #acknowledged = 0
  #nodes: ChaosNode[] = []
  #redis!: RedisProcess
  #writer: TokenSocket | undefined
  #isOver = false

  constructor(settings: RevokeSettings) {
    this.#settings = settings
  }

  async run(): Promise<RevokeReport> {
    const { order, stopped } = this.#settings
    const [first, last] = await this.#start()
    const publishing = this.#publish()
    await this.#flows(this.#settings.rate)
    const beforeStop = await this.#delivered(this.#members)
    const stoppedAt = performance.now()
    last.signal('SIGSTOP')
    await sleep(stopped / 10)
    await this.#redis.kill()
    await this.#redis.restart()
    await this.#untilBack()
    const orderedAt = performance.now()
    const before = this.#acknowledged
    const answering = first.order({ order, uid: UID, ...(order === 'reauthorize' && { auth: AUTH }) })
    await sleep(Math.max(0, stoppedAt + stopped - performance.now()))
    const continuedAt = performance.now()
    last.signal('SIGCONT')
    const answer = await answering
    await this.#settle()
    // Messages that are still to come would come now.
    await this.#flows()
    this.#isOver = true
    await publishing
    return this.#report({ orderedAt, continuedAt, beforeStop, before, answer })
  }

  async stop(): Promise<void> {
    this.#isOver = true
    for (const member of this.#members) member.close()
    await this.#writer?.end()
    for (const node of this.#nodes) node.signal('SIGCONT')
    await Promise.all(this.#nodes.map((node) => node.kill()))
    await this.#redis?.stop()
  }

  async #start(): Promise<readonly [ChaosNode, ChaosNode]> {
    const { nodes: count, sockets } = this.#settings
    this.#redis = await RedisProcess.start('--appendonly', 'yes', '--appendfsync', 'always')
    const ports = await Promise.all(Array.from({ length: count }, freePort))
    const engine = { url: this.#redis.url }
    this.#nodes = ports.map((port) => new ChaosNode({ port, engine }))
    await Promise.all(this.#nodes.map((node) => node.start()))
    const hosts = ports.map((port) => `127.0.0.1:${port}`)
    const host = hosts[0] ?? ''
    this.#writer = new TokenSocket({ host, transports: ['websocket'], authentication: { uid: 'writer' } })
    await this.#writer.ready()
    for (let begun = 0; begun < sockets; begun += 50) {
      const batch = Array.from({ length: Math.min(50, sockets - begun) }, (_, index) => {
        const node = (begun + index) % count
        return RevokedMember.enter(hosts[node] ?? '', { node, uid: UID, channel: CHANNEL })
      })
      this.#members.push(...(await Promise.all(batch)))
    }
    return [this.#nodes[0] as ChaosNode, this.#nodes[count - 1] as ChaosNode]
  }

  /** Publishes one number after the other, each until it is acknowledged. */
  async #publish(): Promise<void> {
    const pause = 1000 / this.#settings.rate
    while (!this.#isOver) {
      const number = this.#acknowledged
      const idempotencyKey = `number ${number}`
      try {
        await this.#writer?.publish(CHANNEL, number, { idempotencyKey })
        this.#acknowledged += 1
      } catch {
        // Redis is away: the same again.
      }
      await sleep(pause)
    }
  }

  /** Resolves when that many more are acknowledged. */
  async #flows(more = 3): Promise<void> {
    const wanted = this.#acknowledged + more
    while (this.#acknowledged < wanted) await sleep(10)
  }

  /** Resolves when the nodes that run hear Redis again: one that is back does not say that others are. */
  async #untilBack(): Promise<void> {
    const running = this.#members.filter(({ node }) => node < this.#settings.nodes - 1)
    for (let round = 0; round < 2; round += 1) {
      await this.#flows()
      await this.#delivered(running)
    }
  }

  /**
   * Resolves when these have what is acknowledged now, or too late: then they miss some of it.
   * @returns how many that is
   */
  async #delivered(members: readonly RevokedMember[]): Promise<number> {
    const count = this.#acknowledged
    const end = performance.now() + SETTLING
    const isBehind = ({ received }: RevokedMember) => (received.at(-1)?.number ?? -1) < count - 1
    while (members.some(isBehind) && performance.now() < end) await sleep(10)
    return count
  }

  async #settle(): Promise<void> {
    const end = performance.now() + SETTLING
    while (this.#members.some(({ endedAt }) => endedAt === undefined) && performance.now() < end)
      await sleep(20)
  }

  #report(times: Times): RevokeReport {
    const { order, nodes: count } = this.#settings
    const nodes = Array.from({ length: count }, (_, index) => this.#reportOf(index, times))
    const faults = nodes.flatMap(({ late, missed, left }, index) => [
      ...(late > 0 ? [`node ${index + 1}: ${late} messages after the end`] : []),
      ...(missed.length > 0 ? [`node ${index + 1}: numbers of before were missed: ${missed}`] : []),
      ...(left > 0 ? [`node ${index + 1}: ${left} sockets kept the channel`] : []),
    ])
    if (times.answer.error !== undefined) faults.push(`the order failed: ${times.answer.error}`)
    return { order, nodes, published: this.#acknowledged, answer: times.answer, faults }
  }

  #reportOf(node: number, { orderedAt, continuedAt, beforeStop, before }: Times): RevokedNode {
    const isStopped = node === this.#settings.nodes - 1
    const members = this.#members.filter((member) => member.node === node)
    const from = isStopped ? continuedAt : orderedAt
    const due = isStopped ? beforeStop : before
    const latest = members
      .map(({ received }) => Math.max(0, (received.at(-1)?.at ?? 0) - from))
      .sort((a, b) => a - b)
    const missed = new Set<number>()
    let late = 0
    for (const member of members) {
      const numbers = new Set(member.received.map(({ number }) => number))
      for (let number = 0; number < due; number += 1) if (!numbers.has(number)) missed.add(number)
      late += member.late
      if (isStopped) late += [...numbers].filter((number) => number > before).length
    }
    const p99 = latest[Math.ceil(latest.length * 0.99) - 1] ?? 0
    const left = members.filter(({ endedAt }) => endedAt === undefined).length
    return { sockets: members.length, isStopped, p99, late, missed: [...missed], left }
  }
}

/** What a run notes: moments are in milliseconds of `performance.now()`. */
interface Times {
  readonly orderedAt: number
  readonly continuedAt: number
  /** Messages that all sockets had when the last node was stopped. */
  readonly beforeStop: number
  /** Messages that were acknowledged before the order. */
  readonly before: number
  readonly answer: OrderReport
}
