import { RpcError } from '@token-socket/protocol'
import type { Nodes } from '../engine/engine.js'
import { bindMethods } from '../runtime/bound-methods.js'
import { promised } from '../runtime/own-calls.js'
import { NodeAnswers, type NodeAnswersOwner } from './node-answers.js'
import { type Answers, NodeQuestions } from './questions.js'

/** How many sockets were found or affected, over all nodes. */
export interface ClusterCount {
  readonly count: number
  /** The ids of the nodes that did not answer. Their sockets are not counted. */
  readonly missing: readonly string[]
}

/** Dependencies of a {@link ClusterBase}. */
export interface ClusterBaseOwner {
  readonly nodes: Nodes
  /** Receives the application's mistakes, and what listeners of events throw. */
  failed(cause: unknown, details: object): void
}

/** Base of the cluster's parts: it asks the nodes, and reports the failures of methods. */
export abstract class ClusterBase {
  /** Asks the nodes. @internal */
  protected readonly questions: NodeQuestions
  /** Answers for this node. @internal */
  protected readonly answers: NodeAnswers
  readonly #nodes: Nodes
  readonly #failed: ClusterBaseOwner['failed']
  #isClosed = false

  /** @internal */
  constructor({ nodes, failed }: ClusterBaseOwner, answers: NodeAnswersOwner) {
    this.#nodes = nodes
    this.#failed = failed
    this.answers = new NodeAnswers(answers)
    this.questions = new NodeQuestions(nodes, (question) => this.answers.answer(question))
    let prototype: object = Object.getPrototypeOf(this)
    for (; prototype !== ClusterBase.prototype; prototype = Object.getPrototypeOf(prototype))
      bindMethods(this, prototype)
  }

  /** This node's id. */
  get node(): string {
    return this.#nodes.id
  }

  /** Rejects what waits for an answer, and what is asked from now on. @internal */
  close(): void {
    this.#isClosed = true
    this.questions.close()
  }

  /**
   * Runs a method. It reports a failure, except one of `rpc` or `notify`: a client's action, or
   * another node, causes those.
   * @param method of the cluster; of another object with its name, such as `sockets.send`
   * @internal
   */
  protected run<T>(method: string, work: () => Promise<T>): Promise<T> {
    const name = method.includes('.') ? method : `cluster.${method}`
    const isCall = method === 'rpc' || method === 'notify'
    return promised(name, () => this.#whileOpen(work), isCall ? undefined : this.#failed)
  }

  /** Checks arguments. It reports a mistake, and throws it. @internal */
  protected checked<T>(method: string, check: () => T): T {
    try {
      return check()
    } catch (error) {
      this.#failed(error, { method: `cluster.${method}` })
      throw error
    }
  }

  async #whileOpen<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new RpcError('shutting_down')
    return work()
  }
}

/** Returns the sum of the nodes' counts. */
export function total({ answers, missing }: Answers): ClusterCount {
  return { count: answers.reduce<number>((sum, count) => sum + Number(count), 0), missing }
}
