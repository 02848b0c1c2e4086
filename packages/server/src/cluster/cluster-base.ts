import { RpcError } from '@token-socket/protocol'
import type { Nodes } from '../engine/engine.js'
import { bindMethods } from '../runtime/bound-methods.js'
import { promised } from '../runtime/own-calls.js'
import { NodeAnswers, type NodeAnswersOwner } from './node-answers.js'
import { type Answers, NodeQuestions } from './questions.js'

/** What was found, or done, over all nodes. */
export interface ClusterCount {
  readonly count: number
  /** The ids of the nodes that did not answer: what they have is not counted. */
  readonly missing: readonly string[]
}

/** Dependencies of a {@link ClusterBase}. */
export interface ClusterBaseOwner {
  readonly nodes: Nodes
  /** Receives mistakes of the application's, and what listeners of events throw. */
  failed(cause: unknown, details: object): void
}

/** What the parts of a cluster share: how nodes are asked, and how a method's promise ends. */
export abstract class ClusterBase {
  /** How nodes are asked. @internal */
  protected readonly questions: NodeQuestions
  /** This node's own answers. @internal */
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

  /** Fails what waits, and what is asked after that. @internal */
  close(): void {
    this.#isClosed = true
    this.questions.close()
  }

  /**
   * What a client's action, or another node, fails with is no mistake of the application's here.
   * @param method of the cluster; of another object with its name, such as `sockets.send`
   * @internal
   */
  protected run<T>(method: string, work: () => Promise<T>): Promise<T> {
    const name = method.includes('.') ? method : `cluster.${method}`
    const isCall = method === 'rpc' || method === 'notify'
    return promised(name, () => this.#whileOpen(work), isCall ? undefined : this.#failed)
  }

  /** Checks arguments, and reports what is wrong with them. @internal */
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

/** The sum of what the nodes counted. */
export function total({ answers, missing }: Answers): ClusterCount {
  return { count: answers.reduce<number>((sum, count) => sum + Number(count), 0), missing }
}
