import {
  type CallOptions,
  checkTimeout,
  createTimeouts,
  decodeError,
  isNever,
  limitError,
  PendingCalls,
  RpcError,
} from '@token-socket/protocol'
import {
  ANSWER_TIMEOUT,
  type CallQuestion,
  type NodeQuestions,
  type Question,
  type SocketAnswer,
  type SocketQuestion,
} from './questions.js'
import { nodeOf } from './sids.js'

/** Dependencies of {@link SocketCalls}. */
export interface SocketCallsOwner {
  /** This node's id. */
  readonly node: string
  readonly questions: NodeQuestions
  /** Answers for this node. */
  answer(question: Question): Promise<unknown>
  readonly limits: {
    /** Milliseconds that a call without a timeout may take. */
    readonly callTimeout: number
  }
}

/**
 * Milliseconds that a call's question stays open after its time-out, so that a node that died
 * meanwhile gives the same result.
 */
export const CALL_LEEWAY = 2000

/** Calls to sockets of other nodes that may wait for their answers at once. */
const CALLS = 10_000

/** Asks about single sockets, on any node. */
export class SocketCalls {
  readonly #owner: SocketCallsOwner
  readonly #calls: PendingCalls
  /** The sockets of other nodes that are called, by the ids of the calls. */
  readonly #sent = new Map<string, string>()

  constructor(owner: SocketCallsOwner) {
    this.#owner = owner
    this.#calls = new PendingCalls({ timeout: owner.limits.callTimeout, callsOut: CALLS }, createTimeouts())
  }

  /**
   * Calls a socket of another node. This node applies the time-out too, because the other node may
   * hang or die.
   */
  async call<Data>(call: Omit<CallQuestion, 'timeout' | 'type'>, options: CallOptions): Promise<Data> {
    const { timeout = this.#owner.limits.callTimeout } = options
    // The local call has no time-out of its own: the socket's node applies it.
    checkTimeout(options, timeout)
    const { id: own, answer } = this.#calls.open({ ...options, timeout }, call.name)
    const id = `${own}.${this.#owner.node}`
    this.#sent.set(id, call.sid)
    const wait = isNever(timeout) ? Number.POSITIVE_INFINITY : timeout + CALL_LEEWAY
    // JSON has no `Infinity`.
    this.ask({ ...call, type: 'call', timeout: isNever(timeout) ? 0 : timeout, id }, wait).then(
      (result) => this.#calls.resolve(own, result),
      (error) => this.#calls.reject(own, error),
    )
    try {
      return (await answer) as Data
    } catch (error) {
      if (options.signal?.aborted) this.#cancel(call.sid, id)
      throw error
    } finally {
      this.#sent.delete(id)
    }
  }

  /**
   * @throws RpcError the error of the socket's node, `not_connected`, `connection_lost`,
   *   `too_large`
   */
  async ask(question: SocketQuestion, timeout: number): Promise<unknown> {
    const answer = await this.#askOwnerOf(question, timeout)
    if (!answer) throw new RpcError('connection_lost', 'The node of the socket did not answer')
    if ('isMissing' in answer) throw new RpcError('not_connected')
    if ('error' in answer) throw decodeError(answer)
    return answer.data
  }

  /**
   * Returns whether a socket is connected. A node that does not answer counts as having no such
   * socket.
   */
  async isConnected(sid: string): Promise<boolean> {
    const answer = await this.#askOwnerOf({ type: 'find', sid }, ANSWER_TIMEOUT)
    return answer !== undefined && 'data' in answer && answer.data === true
  }

  /** Rejects the calls that wait, and cancels them at their nodes. */
  close(): void {
    for (const [id, sid] of this.#sent) this.#cancel(sid, id)
    this.#calls.rejectAll(new RpcError('shutting_down'))
  }

  /**
   * Cancels a call to a socket of another node. If this message is lost, the call runs until its
   * time-out.
   */
  #cancel(sid: string, id: string): void {
    const node = nodeOf(sid)
    if (node) this.#owner.questions.tell(node, { type: 'cancel', id })
  }

  /** Asks the node of a socket. @returns `undefined` if it did not answer */
  async #askOwnerOf(question: SocketQuestion, timeout: number): Promise<SocketAnswer | undefined> {
    const node = nodeOf(question.sid)
    if (node === undefined) return { isMissing: true }
    if (node === this.#owner.node) return (await this.#owner.answer(question)) as SocketAnswer
    const one = await this.#owner.questions.one(node, question, timeout)
    if ('answer' in one) return one.answer as SocketAnswer
    if (one.missing === 'too_large') throw limitError('too_large', { field: 'answer' })
    return one.missing === 'unreached' ? { isMissing: true } : undefined
  }
}
