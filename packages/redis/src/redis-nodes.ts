import { createTimeouts, limitError, startTimeout } from '@token-socket/protocol'
import {
  badOption,
  type MissingAnswer,
  type NodeAnswer,
  type NodeAnswers,
  type NodeAskOptions,
  type Nodes,
  newNodeId,
} from '@token-socket/server/engine'
import type { Commands } from './connection/commands.js'
import type { ThrottledLog } from './connection/throttled-log.js'
import { decodeNodeMessage, encodeNodeMessage, type NodeMessage } from './node-messages.js'
import type { Keys } from './scripts/keys.js'
import { LIVE } from './scripts/node-scripts.js'

/** Dependencies of {@link RedisNodes}. */
export interface RedisNodesOwner {
  readonly commands: Commands
  readonly keys: Keys
  readonly throttledLog: ThrottledLog
  /** Milliseconds for which a node counts as living after each renewal. */
  readonly lease: number
}

/** A question that waits for answers. */
interface Pending {
  /** The nodes that have not answered. */
  readonly open: Set<string>
  /** The nodes that were asked although they had no lease. */
  readonly doubtful: ReadonlySet<string>
  /** The node that was asked by its id; `undefined` if all others were asked. */
  readonly only: string | undefined
  /** Whether it has no time-out: lost messages have to be detected in another way. */
  readonly isEndless: boolean
  /** Whether a node may have received it. Not set while this is being checked. */
  readonly heard: Map<string, boolean>
  readonly answers: Map<string, string>
  readonly missing: Map<string, MissingAnswer>
  /** All nodes have answered, or will not. */
  done(): void
  failed(error: unknown): void
  /** The time-out is over. */
  expire(): void
}

/** Questions that may wait for answers, at most. */
const QUESTIONS = 10_000

/**
 * Milliseconds after which a message that no node received is sent again for the first time. The
 * time doubles each time.
 */
const AGAIN = 100

/** UTF-16 code units of a question or an answer, at most. */
const LENGTH = 1024 * 1024

/**
 * The living nodes, by leases in Redis that each node renews, and a Redis channel for each.
 * Questions and answers are not kept: if Redis or a connection loses one, there is no answer.
 */
export class RedisNodes implements Nodes {
  readonly id = newNodeId()
  readonly #owner: RedisNodesOwner
  readonly #pending = new Map<string, Pending>()
  /** When each other node last had a lease. If Redis loses the leases, the nodes still live. */
  readonly #seen = new Map<string, number>()
  readonly #timeouts = createTimeouts()
  /**
   * The questions of other nodes whose answers have not been received yet, by the asking node and
   * the id.
   */
  readonly #answering = new Set<string>()
  #lastId = 0
  #known = 1
  #answer: NodeAnswer | undefined
  #stopTimer = () => {}
  #hasWithdrawn = false
  #isClosed = false

  constructor(owner: RedisNodesOwner) {
    this.#owner = owner
    this.#arm()
  }

  /** The Redis channel on which this node receives questions and answers. */
  get topic(): string {
    return this.#owner.keys.node(this.id)
  }

  serve(answer: NodeAnswer): void {
    this.#answer = answer
    this.#hasWithdrawn = false
  }

  withdraw(): void {
    if (this.#answer) throw badOption('engine', 'must not be that of a server, whose node would be lost')
    this.#hasWithdrawn = true
    // Other nodes may have removed its lease when it connected.
    this.restore()
  }

  /** Also renews this node's lease, or removes it. @throws RpcError `engine_unavailable` */
  async list(): Promise<readonly string[]> {
    const { commands, keys, lease } = this.#owner
    const ids = await commands.evaluate(LIVE, [keys.nodes], [this.id, this.#isNode ? lease : ''])
    const living = ids.filter((id) => id !== null)
    for (const id of living) if (id !== this.id) this.#seen.set(id, performance.now())
    this.#known = living.length + this.#doubtful(living).length
    return living
  }

  /** The number at the last check, also while Redis is away. */
  known(): number {
    return this.#known
  }

  async ask(question: string, { node, timeout }: NodeAskOptions): Promise<NodeAnswers> {
    if (question.length > LENGTH) throw limitError('too_large', { field: 'question', limit: LENGTH })
    if (this.#pending.size >= QUESTIONS)
      throw limitError('too_many_calls', { field: 'questions', limit: QUESTIONS })
    const living = node === undefined ? (await this.list()).filter((id) => id !== this.id) : [node]
    const doubtful = node === undefined ? this.#doubtful(living) : []
    const asked = [...living, ...doubtful]
    const id = String(++this.#lastId)
    const { pending, answered } = this.#open(id, asked, {
      doubtful: new Set(doubtful),
      only: node,
      isEndless: timeout === Number.POSITIVE_INFINITY,
    })
    this.#timeouts.set(pending.expire, timeout)
    for (const one of asked) this.#send(one, { type: 'question', id, from: this.id, text: question })
    this.#settleIfDone(id)
    return answered
  }

  /** A message arrived on this node's Redis channel. */
  hear(text: string): void {
    const message = decodeNodeMessage(text)
    if (!message)
      return this.#owner.throttledLog.warn('a message to this node is not ours', { node: this.id })
    if (message.type === 'question') return void this.#reply(message)
    if (message.type === 'doubt') return this.#probeReply(message)
    const pending = this.#pending.get(message.id)
    if (!pending?.open.has(message.from)) return
    if (message.type === 'answer') this.#settle(message.id, message.from, { answer: message.text })
    else if (message.type === 'withdrawn') this.#forget(message)
    else
      this.#settle(message.id, message.from, { missing: message.type === 'excess' ? 'too_large' : 'silent' })
  }

  /** Redis is connected, for the first time or again. */
  restore(): void {
    this.list().catch(() => {})
  }

  /**
   * Resolves when other nodes know it, if Redis can be reached. Their later questions get no
   * answer, and they are notified at once.
   */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopTimer()
    for (const key of this.#answering) {
      const [from = '', id = ''] = key.split(' ')
      void this.#answerTo(from, encodeNodeMessage({ ...SILENCE, id, from: this.id }))
    }
    for (const [id, { open }] of this.#pending) {
      for (const node of open) this.#settle(id, node, { missing: 'silent' })
    }
    this.#timeouts.clear()
    await this.list().catch(() => {})
  }

  /** Whether other nodes may know it. */
  get #isNode(): boolean {
    return !this.#isClosed && !this.#hasWithdrawn
  }

  #arm(): void {
    this.#stopTimer = startTimeout(this.#owner.lease / 3, () => {
      void this.#look().finally(() => this.#isClosed || this.#arm())
    })
  }

  /** Renews the lease, and stops waiting for dead nodes. */
  async #look(): Promise<void> {
    const before = [...this.#pending.keys()]
    const living = new Set(await this.list().catch(() => undefined))
    if (living.size === 0) return
    for (const id of before) {
      const { open = [], heard, isEndless } = this.#pending.get(id) ?? {}
      for (const node of open) {
        if (!living.has(node)) this.#nodeLost(node, id, heard?.get(node))
        else if (isEndless && heard?.get(node)) this.#probe(node, id)
      }
    }
  }

  /** If this is lost, the next check tries again. */
  #probe(node: string, id: string): void {
    const { commands, keys } = this.#owner
    const text = encodeNodeMessage({ type: 'doubt', id, from: this.id, text: '' })
    commands.publish(keys.node(node), text).catch(() => {})
  }

  /** Sends nothing while an answer may follow: the asking node continues to wait. */
  #probeReply({ id, from }: NodeMessage): void {
    if (this.#answering.has(`${from} ${id}`)) return
    const type = this.#hasWithdrawn ? 'withdrawn' : 'silence'
    void this.#answerTo(from, encodeNodeMessage({ type, id, from: this.id, text: '' }))
  }

  /** A process is no longer a node: nothing of it is missing, unless it was asked by its id. */
  #forget({ id, from }: NodeMessage): void {
    this.#seen.delete(from)
    if (this.#pending.get(id)?.only === from) return this.#settle(id, from, { missing: 'unreached' })
    this.#pending.get(id)?.open.delete(from)
    this.#settleIfDone(id)
  }

  /** A node that was asked has died. */
  #nodeLost(node: string, id: string, hasHeard: boolean | undefined): void {
    if (hasHeard) this.#settle(id, node, { missing: 'silent' })
    else if (hasHeard === false) this.#miss(node, id)
  }

  /**
   * Returns the nodes that had a lease within its length, or before Redis was last away. The others
   * are removed.
   */
  #doubtful(living: readonly string[]): string[] {
    const { commands, keys, lease } = this.#owner
    const isSettled = commands.age(keys.nodes) >= lease
    for (const [id, at] of this.#seen) {
      if (isSettled && performance.now() - at >= lease) this.#seen.delete(id)
    }
    return [...this.#seen.keys()].filter((id) => !living.includes(id))
  }

  /**
   * Returns whether the node has not been seen since Redis is back: it may not have reconnected
   * yet.
   */
  #mayComeBack(node: string): boolean {
    const { commands, keys } = this.#owner
    const at = this.#seen.get(node)
    return at !== undefined && at < performance.now() - commands.age(keys.nodes)
  }

  #open(
    id: string,
    asked: readonly string[],
    how: Pick<Pending, 'doubtful' | 'only' | 'isEndless'>,
  ): { pending: Pending; answered: Promise<NodeAnswers> } {
    const answers = new Map<string, string>()
    const missing = new Map<string, MissingAnswer>()
    const open = new Set(asked)
    const expire = () => {
      for (const node of open) this.#settle(id, node, { missing: 'silent' })
    }
    let settle = { done: () => {}, failed: (_error: unknown) => {} }
    const answered = new Promise<NodeAnswers>((resolve, reject) => {
      settle = { done: () => resolve({ answers, missing }), failed: reject }
    })
    const pending = { ...how, open, heard: new Map(), answers, missing, expire, ...settle }
    this.#pending.set(id, pending)
    return { pending, answered }
  }

  #send(node: string, message: NodeMessage, wait = AGAIN): void {
    const { commands, keys } = this.#owner
    const heard = this.#pending.get(message.id)?.heard
    heard?.delete(node)
    commands.publish(keys.node(node), encodeNodeMessage(message)).then(
      async ({ count, isExact }) => {
        // In a cluster, another node may have received it at another Redis.
        heard?.set(node, count > 0 || !isExact)
        if (count > 0 || (await this.#isGone(node, message.id)) || !isExact) return
        startTimeout(wait, () => {
          if (this.#pending.get(message.id)?.open.has(node)) this.#send(node, message, wait * 2)
        })
      },
      (error) => this.#end(message.id)?.failed(error),
    )
  }

  /** No node received the question. If the asked node has no lease, none will. */
  async #isGone(node: string, id: string): Promise<boolean> {
    const living = await this.list().catch(() => undefined)
    if (living?.includes(node) !== false) return false
    this.#miss(node, id)
    return true
  }

  #miss(node: string, id: string): void {
    const pending = this.#pending.get(id)
    if (!pending?.doubtful.has(node) || this.#mayComeBack(node)) {
      return this.#settle(id, node, { missing: 'unreached' })
    }
    pending.open.delete(node)
    this.#settleIfDone(id)
  }

  async #reply({ id, from, text }: NodeMessage): Promise<void> {
    const { throttledLog } = this.#owner
    this.#answering.add(`${from} ${id}`)
    const reply = await this.#answered(text).catch((err): Reply => {
      throttledLog.warn('a question of another node could not be answered', { err, node: from })
      return SILENCE
    })
    await this.#answerTo(from, encodeNodeMessage({ ...reply, id, from: this.id }))
    this.#answering.delete(`${from} ${id}`)
  }

  /**
   * Sends it until it is received, or for as long as a node may be away. Resolves when that time is
   * over.
   */
  async #answerTo(node: string, text: string): Promise<void> {
    const { commands, keys, lease } = this.#owner
    for (let wait = AGAIN; ; wait *= 2) {
      const heard = await commands.publish(keys.node(node), text).catch(() => undefined)
      const mayBeHeard = heard !== undefined && (heard.count > 0 || !heard.isExact)
      if (mayBeHeard || wait >= lease || this.#isClosed) return
      await new Promise<void>((resolve) => startTimeout(wait, resolve))
    }
  }

  async #answered(question: string): Promise<Reply> {
    if (this.#isClosed) return SILENCE
    if (this.#hasWithdrawn) return { type: 'withdrawn', text: '' }
    if (!this.#answer) throw new Error('this node answers no questions')
    return replyOf(await this.#answer(question))
  }

  #settle(
    id: string,
    node: string,
    how: { readonly answer: string } | { readonly missing: MissingAnswer },
  ): void {
    const pending = this.#pending.get(id)
    if (!pending?.open.delete(node)) return
    if ('answer' in how) pending.answers.set(node, how.answer)
    else pending.missing.set(node, how.missing)
    this.#settleIfDone(id)
  }

  #settleIfDone(id: string): void {
    if (this.#pending.get(id)?.open.size === 0) this.#end(id)?.done()
  }

  #end(id: string): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (pending) this.#timeouts.delete(pending.expire)
    return pending
  }
}

/** A reply to a question. */
type Reply = Pick<NodeMessage, 'type' | 'text'>

const SILENCE: Reply = { type: 'silence', text: '' }

function replyOf(answer: string): Reply {
  return answer.length <= LENGTH ? { type: 'answer', text: answer } : { type: 'excess', text: '' }
}
