import { markHandled, type Timeouts } from '@token-socket/protocol'
import { isError } from '../runtime/thrown-values.js'

/** Runs the rest of a request. @param refusal refuses the request, as in Express */
export type Next = (refusal?: Error) => Promise<unknown>

/** One function around a request. */
export type Step<Context> = (context: Context, next: Next) => unknown

/** How a {@link MiddlewareRun} continues and ends. */
export interface MiddlewareRunOptions {
  /**
   * Whether a step's return value is the answer, unless it is `undefined`. Otherwise the answer is
   * the request's own.
   */
  readonly givesAnswer: boolean
  /** Carries the request out. */
  innermost(): Promise<unknown>
  /** The refusal of a step that neither called `next()` nor answered. `false` is no answer. */
  skipped(returned: unknown): Error
  /** Why the request has ended although its steps still run; `undefined` while it runs. */
  over?(): Error | undefined
  /**
   * Milliseconds for the steps before the request is carried out, and again after it. @default no
   * limit
   */
  readonly timeout?: number
  readonly timeouts: Timeouts
  /** The steps took too long. @returns the refusal */
  late?(): Error
  /** A step called `next()` after it had returned. */
  misused(cause: Error): void
}

/**
 * Runs a request through steps, the first outermost. The code before the first `await` of a step
 * runs synchronously, so that an `AsyncLocalStorage` that a step enters holds for everything
 * inside.
 */
export class MiddlewareRun<Context> {
  readonly #steps: readonly Step<Context>[]
  readonly #context: Context
  readonly #options: MiddlewareRunOptions
  #over: Error | undefined
  #isFinished = false
  #reject: (error: Error) => void = () => {}

  /** Whether the steps have control, not the request itself. */
  hasControl = true

  constructor(steps: readonly Step<Context>[], context: Context, options: MiddlewareRunOptions) {
    this.#steps = steps
    this.#context = context
    this.#options = options
  }

  /** Resolves to the answer, or rejects with the refusal. Call it once. */
  async start(): Promise<unknown> {
    try {
      return await (this.#options.timeout === undefined ? this.#run(0) : this.#inTime())
    } finally {
      this.#isFinished = true
      this.#disarm()
    }
  }

  #inTime(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      this.#arm()
      this.#run(0).then(resolve, reject)
    })
  }

  async #run(index: number): Promise<unknown> {
    const step = this.#steps[index]
    if (!step) return this.#carryOut()
    const { givesAnswer, skipped, misused } = this.#options
    const layer = new Layer(() => this.#run(index + 1), { over: () => this.#whyOver(), misused })
    try {
      const returned = await layer.call((next) => step(this.#context, next))
      if (givesAnswer && returned !== undefined && (layer.inner || returned !== false)) return returned
      if (layer.inner) return layer.inner
      throw layer.refused ?? this.#whyOver() ?? skipped(returned)
    } catch (cause) {
      // A refused request must not continue.
      if (!givesAnswer) await layer.inner?.catch(() => {})
      throw cause
    }
  }

  #whyOver(): Error | undefined {
    return this.#over ?? (this.#isFinished ? new Error(FINISHED) : this.#options.over?.())
  }

  async #carryOut(): Promise<unknown> {
    this.#disarm()
    this.hasControl = false
    try {
      return await this.#options.innermost()
    } finally {
      this.hasControl = true
      this.#arm()
    }
  }

  #arm(): void {
    const { timeout, timeouts } = this.#options
    if (timeout !== undefined && !this.#isFinished) timeouts.set(this.#expire, timeout)
  }

  #disarm(): void {
    if (this.#options.timeout !== undefined) this.#options.timeouts.delete(this.#expire)
  }

  readonly #expire = () => {
    this.#over = this.#options.late?.() ?? new Error(FINISHED)
    this.#reject(this.#over)
  }
}

/** One step of a run, and the steps inside it. */
class Layer {
  /** The result of the rest; `undefined` until `next()` is called. */
  inner: Promise<unknown> | undefined
  /** Why `next()` ran nothing: the request had ended. */
  refused: Error | undefined
  readonly #rest: () => Promise<unknown>
  readonly #run: { over(): Error | undefined; misused(cause: Error): void }
  #fault: Error | undefined
  #hasReturned = false

  constructor(rest: () => Promise<unknown>, run: { over(): Error | undefined; misused(cause: Error): void }) {
    this.#rest = rest
    this.#run = run
  }

  /**
   * @throws the step's error, thrown or passed to `next`; that it called `next()` twice, or with
   *   any other argument
   */
  async call(step: (next: Next) => unknown): Promise<unknown> {
    try {
      const returned = await step(this.#next)
      if (this.#fault) throw this.#fault
      return returned
    } finally {
      this.#hasReturned = true
    }
  }

  readonly #next = (argument?: unknown): Promise<unknown> => {
    if (this.#hasReturned) return this.#refuseLate()
    if (argument !== undefined) return this.#fail(isError(argument) ? argument : new Error(ARGUMENT))
    if (this.inner || this.#fault) return this.#fail(new Error(TWICE))
    this.refused = this.#run.over()
    if (this.refused) return markHandled(Promise.reject(this.refused))
    this.inner = markHandled(this.#rest())
    return this.inner
  }

  /** The step ends in an error, whatever it returns. The first error counts. */
  #fail(error: Error): Promise<never> {
    this.#fault ??= error
    return markHandled(Promise.reject(this.#fault))
  }

  /**
   * It is reported here, as no answer waits for it. The promise never settles. Code after a
   * `next()` that ran nothing must not run, and the rejection of a derived promise, as in
   * `check().then(next)`, would end the process.
   */
  #refuseLate(): Promise<never> {
    this.#run.misused(new Error(FINISHED))
    return new Promise(() => {})
  }
}

const TWICE = 'A middleware called next() twice: the rest runs once'
const ARGUMENT =
  'A middleware called next() with an argument that is no error: next() goes on, next(error) refuses'
const FINISHED = 'A middleware called next() after it had returned: nothing runs'
