import { limitError, RpcError } from '@token-socket/protocol'
import { isThenable } from '../runtime/isolated.js'

/** What a rule's function may return synchronously. */
type Answer = boolean | string | RpcError

/**
 * The answer of a channel rule's function. Only `true` allows. A text, or an `RpcError`, is the
 * reason of a refusal, which the client receives. Any other value refuses without a reason, and
 * does not compile.
 */
export type RuleAnswer = Answer | Promise<Answer>

/** The merged answer of rules' functions: `false` refuses without a reason, an error with one. */
export type RuleDecision = boolean | RpcError

/** A function of a rule, and the socket that it is asked about. */
export interface RuleQuestion {
  /** The rule's name or pattern. */
  readonly rule: string
  readonly channel: string
  readonly sid: string
}

/** Dependencies of {@link RuleAsker}. */
export interface RuleAskerOwner {
  /** Milliseconds in which one function has to answer. */
  readonly timeout: number
  /** A function threw, or rejected with, something that is no `RpcError`. */
  failed(cause: unknown, details: object): void
  /** A function did not answer in time. */
  late?(question: RuleQuestion): void
  /** A function answered with neither true, false nor a reason. */
  unclear?(question: RuleQuestion, answer: unknown): void
}

/**
 * Asks the functions of channel rules, each within its time. A function that throws refuses; an
 * `RpcError` is the reason.
 */
export class RuleAsker {
  readonly #owner: RuleAskerOwner

  constructor(owner: RuleAskerOwner) {
    this.#owner = owner
  }

  /** Asks one function. It never rejects. @returns `true`, the reason of a refusal, or `false` */
  async ask(question: RuleQuestion, run: () => RuleAnswer): Promise<RuleDecision> {
    try {
      const answer = run()
      return this.#decide(question, isThenable(answer) ? await this.#inTime(question, answer) : answer)
    } catch (cause) {
      if (RpcError.is(cause)) return cause
      const { rule, channel, sid } = question
      this.#owner.failed(cause, { sid, channel, rule })
      return false
    }
  }

  #decide(question: RuleQuestion, answer: unknown): RuleDecision {
    if (RpcError.is(answer)) return answer
    if (typeof answer === 'boolean') return answer
    const { channel } = question
    if (typeof answer === 'string' && answer !== '') return new RpcError('forbidden', answer, { channel })
    this.#owner.unclear?.(question, answer)
    return false
  }

  #inTime(question: RuleQuestion, answer: PromiseLike<unknown>): Promise<unknown> {
    const { timeout: limit } = this.#owner
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#owner.late?.(question)
        resolve(limitError('veto_timeout', { field: 'vetoTimeout', limit }))
      }, limit)
      timer.unref()
      Promise.resolve(answer)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer))
    })
  }
}
