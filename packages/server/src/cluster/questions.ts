import {
  decodeData,
  encodeData,
  markHandled,
  RpcError,
  sendable,
  type WireError,
} from '@token-socket/protocol'
import type { AuthorizationOrder } from '../authentication/authorization-order.js'
import type { MissingAnswer, NodeAnswers, NodeAskOptions, Nodes } from '../engine/engine.js'
import { attempt } from '../runtime/attempt.js'
import type { SendAck } from '../socket/send-options.js'
import type { Selection } from './selectors.js'
import { nodeOf } from './sids.js'
import type { PageRange } from './socket-pages.js'

/** Milliseconds that a node may take for an answer that needs no client and no listener. */
export const ANSWER_TIMEOUT = 5000

/** Asks a node to call a function of one of its sockets. */
export interface CallQuestion {
  readonly type: 'call'
  readonly sid: string
  readonly name: string
  readonly data: unknown
  /** In milliseconds; 0 for never. */
  readonly timeout: number
  /**
   * The id by which the caller can cancel it, unique over all nodes. @default it cannot be
   * cancelled
   */
  readonly id?: string | undefined
}

/** Asks a node to send a message to one of its sockets. */
export interface SendQuestion {
  readonly type: 'send'
  readonly sid: string
  readonly data: unknown
  readonly ack: SendAck
  /** In milliseconds; 0 for never. */
  readonly timeout: number
}

/** Questions about one socket. */
export type SocketQuestion =
  | SendQuestion
  | { readonly type: 'find'; readonly sid: string }
  | CallQuestion
  | { readonly type: 'subscribe' | 'unsubscribe'; readonly sid: string; readonly channel: string }
  | { readonly type: 'notify'; readonly sid: string; readonly name: string; readonly data: unknown }

/**
 * Questions about selected sockets. Older nodes do not know these types, and do not answer them.
 */
export type SelectionQuestion =
  | { readonly type: 'countSockets'; readonly who: Selection }
  | ({ readonly type: 'listSockets'; readonly who: Selection } & PageRange)
  | { readonly type: 'disconnectSockets'; readonly who: Selection; readonly reconnect: boolean }
  | {
      readonly type: 'subscribeSockets' | 'unsubscribeSockets'
      readonly who: Selection
      readonly channel: string
    }

/** Questions that close a user's sockets, or one socket by its id. @property session its hash */
export type UserQuestion =
  | {
      readonly type: 'disconnect'
      readonly who: { readonly sid: string } | { readonly uid: string }
      readonly reconnect: boolean
    }
  | { readonly type: 'disconnectSession'; readonly session: string; readonly reconnect: boolean }

/** The questions that nodes ask each other. A node ignores a question that it does not know. */
export type Question =
  | { readonly type: 'closeSockets'; readonly sids: readonly string[]; readonly reconnect: boolean }
  | SocketQuestion
  | SelectionQuestion
  | UserQuestion
  | { readonly type: 'cancel'; readonly id: string }
  | { readonly type: 'count'; readonly channel?: string | undefined }
  | { readonly type: 'authorize'; readonly order: AuthorizationOrder }
  | { readonly type: 'emit'; readonly event: string; readonly data: unknown; readonly node: string }

/** The answer about one socket: the result, an error, or that the socket does not exist. */
export type SocketAnswer = { readonly data: unknown } | WireError | { readonly isMissing: true }

/** The answer of a node whose selected sockets all refuse an order. */
export interface OrderRefusal {
  readonly refused: string
}

/** Whether an answer is an {@link OrderRefusal}. */
export function isRefusal(answer: unknown): answer is OrderRefusal {
  return typeof answer === 'object' && answer !== null && 'refused' in answer
}

/** The answers of the nodes that were asked. */
export interface Answers {
  readonly answers: readonly unknown[]
  /** The ids of the nodes that did not answer. */
  readonly missing: readonly string[]
}

/** One node's answer, or why there is none. */
export type OneAnswer = { readonly answer: unknown } | { readonly missing: MissingAnswer | undefined }

/** Encodes a question, which can carry what a frame can carry. @throws RpcError `unserializable` */
function encodeQuestion(question: Question): string {
  if ('data' in question) sendable(question.data)
  return encodeData(question)
}

/** Asks all nodes, this one included. */
export class NodeQuestions {
  readonly #nodes: Nodes
  readonly #answer: (question: Question) => Promise<unknown>
  /** Rejects the questions that wait for answers. */
  readonly #waiting = new Set<(error: RpcError) => void>()
  #isClosed = false

  /** @param answer answers for this node, also the questions of other nodes */
  constructor(nodes: Nodes, answer: (question: Question) => Promise<unknown>) {
    this.#nodes = nodes
    this.#answer = answer
    nodes.serve(async (question) => encodeData(await answer(decodeData(question) as Question)))
  }

  /** Asks every other node. @throws RpcError `engine_unavailable`, `too_large`, `shutting_down` */
  async others(question: Question, timeout = ANSWER_TIMEOUT): Promise<Answers> {
    const { answers, missing } = await this.#ask(question, { timeout })
    return { answers: [...answers.values()].map(decodeData), missing: [...missing.keys()] }
  }

  /**
   * Asks one other node.
   * @throws RpcError `unserializable`, `engine_unavailable`, `too_large`, `shutting_down`
   */
  async one(node: string, question: Question, timeout = ANSWER_TIMEOUT): Promise<OneAnswer> {
    const { answers, missing } = await this.#ask(question, { node, timeout })
    const answer = answers.get(node)
    return answer === undefined ? { missing: missing.get(node) } : { answer: decodeData(answer) }
  }

  /**
   * Sends a node a message that may be lost and needs no answer. Works also while this node shuts
   * down.
   */
  tell(node: string, question: Question): void {
    markHandled(attempt(() => this.#nodes.ask(encodeData(question), { node, timeout: ANSWER_TIMEOUT })))
  }

  /** Rejects what waits, and what is asked from now on, with `shutting_down`. */
  close(): void {
    this.#isClosed = true
    for (const reject of this.#waiting) reject(new RpcError('shutting_down'))
  }

  #ask(question: Question, options: NodeAskOptions): Promise<NodeAnswers> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new RpcError('shutting_down'))
      const answers = attempt(() => this.#nodes.ask(encodeQuestion(question), options))
      this.#waiting.add(reject)
      answers.then(resolve, reject).finally(() => this.#waiting.delete(reject))
    })
  }

  /**
   * Asks every node, this one included. This node's part is done also if the others cannot be
   * asked.
   */
  async all(question: Question, timeout?: number): Promise<Answers> {
    const [own, others] = await Promise.all([this.#answer(question), this.others(question, timeout)])
    return { answers: [own, ...others.answers], missing: others.missing }
  }

  /** Asks every node that may have selected sockets: for one socket, only its own node. */
  async selected(question: SelectionQuestion, timeout?: number): Promise<Answers> {
    const { sid } = question.who
    if (sid === undefined) return this.all(question, timeout)
    const node = nodeOf(sid)
    if (node === undefined) return { answers: [], missing: [] }
    if (node === this.#nodes.id) return { answers: [await this.#answer(question)], missing: [] }
    const one = await this.one(node, question, timeout)
    if ('answer' in one) return { answers: [one.answer], missing: [] }
    // A socket of a node that is not reachable does not exist any longer.
    return { answers: [], missing: one.missing === 'unreached' ? [] : [node] }
  }
}
