import { markHandled, type Timeouts } from '@token-socket/protocol'

/** One function around a request. */
export type Step<Context> = (context: Context, next: () => Promise<unknown>) => unknown

/** How a {@link MiddlewareRun} goes on and ends. */
export interface MiddlewareRunOptions {
  /** Whether what a step returns is the answer. Otherwise only `next()` can allow, and the answer is the request's own. */
  readonly givesAnswer: boolean
  /** Carries the request out. */
  innermost(): Promise<unknown>
  /** What a step that did not call `next()` is refused with. Asked only where steps give no answer. */
  skipped(returned: unknown): Error
  /** Why the request is over although its steps still run; `undefined` while it is not. */
  over?(): Error | undefined
  /** Milliseconds the steps may take before the request is carried out, and again after it. @default no bound */
  readonly timeout?: number
  readonly timeouts: Timeouts
  /** The steps took too long. @returns what the request is refused with */
  late?(): Error
  /** A step called `next()` after it had returned. */
  misused(cause: Error): void
}

/**
 * Runs a request through steps, the first outermost. Everything up to the first `await` of a step runs at once, so that an
 * `AsyncLocalStorage` that a step enters holds for all that is inside.
 */
export class MiddlewareRun<Context> {
  readonly #steps: readonly Step<Context>[]
  readonly #context: Context
  readonly #options: MiddlewareRunOptions
  #over: Error | undefined
  #isFinished = false
  #reject: (error: Error) => void = () => {}

  /** Whether the steps have control, rather than the request itself. */
  hasControl = true

  constructor(steps: readonly Step<Context>[], context: Context, options: MiddlewareRunOptions) {
    this.#steps = steps
    this.#context = context
    this.#options = options
  }

  /** Resolves to the answer, or rejects with why there is none. Call it once. */
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
      if (givesAnswer && returned !== undefined) return returned
      if (layer.inner || givesAnswer) return layer.inner
      throw skipped(returned)
    } catch (cause) {
      // What is refused must not go on behind the answer.
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

/** One step of a run, and what is inside of it. */
class Layer {
  /** What the rest gave; `undefined` while `next()` has not been called. */
  inner: Promise<unknown> | undefined
  readonly #rest: () => Promise<unknown>
  readonly #run: { over(): Error | undefined; misused(cause: Error): void }
  #twice: Error | undefined
  #hasReturned = false

  constructor(rest: () => Promise<unknown>, run: { over(): Error | undefined; misused(cause: Error): void }) {
    this.#rest = rest
    this.#run = run
  }

  /** @throws what the step throws; that it called `next()` twice */
  async call(step: (next: () => Promise<unknown>) => unknown): Promise<unknown> {
    try {
      const returned = await step(this.#next)
      if (this.#twice) throw this.#twice
      return returned
    } finally {
      this.#hasReturned = true
    }
  }

  readonly #next = (): Promise<unknown> => {
    if (this.#hasReturned) return this.#refuseLate()
    if (this.inner) {
      this.#twice = new Error(TWICE)
      return markHandled(Promise.reject(this.#twice))
    }
    const over = this.#run.over()
    if (over) return markHandled(Promise.reject(over))
    this.inner = markHandled(this.#rest())
    return this.inner
  }

  #refuseLate(): Promise<never> {
    const late = new Error(FINISHED)
    this.#run.misused(late)
    return markHandled(Promise.reject(late))
  }
}

const TWICE = 'A middleware called next() twice: the rest runs once'
const FINISHED = 'A middleware called next() after it had returned: nothing runs'
