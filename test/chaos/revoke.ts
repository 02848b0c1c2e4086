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
  /** Messages of before, acknowledged while the node ran, that a socket did not get. */
  readonly missed: number
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
 * Milliseconds within which every socket has to have lost the channel, when all nodes run again.
 */
const SETTLING = 20_000

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
    return `  node ${index + 1}: ${sockets} sockets, ${since} to the last message p99 ${p99.toFixed(0)} ms, ${late} after the end, ${missed} missed before, ${left} kept the channel`
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
  /** When each message was acknowledged, in order. */
  readonly #acknowledged: number[] = []
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
    await sleep(1000)
    const stoppedAt = performance.now()
    last.signal('SIGSTOP')
    await sleep(stopped / 10)
    await this.#redis.kill()
    await this.#redis.restart()
    await this.#flows()
    const orderedAt = performance.now()
    const before = this.#acknowledged.length
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
    return this.#report({ stoppedAt, orderedAt, continuedAt, before, answer })
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
      const number = this.#acknowledged.length
      const idempotencyKey = `number ${number}`
      try {
        await this.#writer?.publish(CHANNEL, number, { idempotencyKey })
        this.#acknowledged.push(performance.now())
      } catch {
        // Redis is away: the same again.
      }
      await sleep(pause)
    }
  }

  /** Resolves when three more are acknowledged. */
  async #flows(): Promise<void> {
    const wanted = this.#acknowledged.length + 3
    while (this.#acknowledged.length < wanted) await sleep(10)
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
      ...(missed > 0 ? [`node ${index + 1}: ${missed} messages of before were missed`] : []),
      ...(left > 0 ? [`node ${index + 1}: ${left} sockets kept the channel`] : []),
    ])
    if (times.answer.error !== undefined) faults.push(`the order failed: ${times.answer.error}`)
    return { order, nodes, published: this.#acknowledged.length, answer: times.answer, faults }
  }

  #reportOf(node: number, { stoppedAt, orderedAt, continuedAt, before }: Times): RevokedNode {
    const isStopped = node === this.#settings.nodes - 1
    const members = this.#members.filter((member) => member.node === node)
    const from = isStopped ? continuedAt : orderedAt
    // What was acknowledged just before it stopped may have been on its way.
    const due = isStopped ? this.#acknowledged.filter((at) => at < stoppedAt - 500).length : before
    const latest = members
      .map(({ received }) => Math.max(0, (received.at(-1)?.at ?? 0) - from))
      .sort((a, b) => a - b)
    let [late, missed] = [0, 0]
    for (const member of members) {
      const numbers = new Set(member.received.map(({ number }) => number))
      const first = member.received[0]?.number ?? 0
      for (let number = first; number < due; number += 1) if (!numbers.has(number)) missed += 1
      late += member.late
      if (isStopped) late += [...numbers].filter((number) => number > before).length
    }
    const p99 = latest[Math.ceil(latest.length * 0.99) - 1] ?? 0
    const left = members.filter(({ endedAt }) => endedAt === undefined).length
    return { sockets: members.length, isStopped, p99, late, missed, left }
  }
}

/** Moments of a run, in milliseconds of `performance.now()`. */
interface Times {
  readonly stoppedAt: number
  readonly orderedAt: number
  readonly continuedAt: number
  /** Messages that were acknowledged before the order. */
  readonly before: number
  readonly answer: OrderReport
}
