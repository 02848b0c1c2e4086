import { RpcError, refusal } from '@token-socket/protocol'

/** Answers a veto: an error, or anything falsy as `allowed`, says no. */
export type VetoCallback = (error?: unknown, allowed?: unknown) => void

/** A listener that can say no: by its callback, or by returning or resolving `false`. */
export type VetoListener = { listener(...args: unknown[]): unknown }['listener']

/** Why something is not allowed: what the caller is told. */
export interface Refusal {
  readonly error: unknown
}

/** How a {@link decide} is made. */
export interface VetoOptions {
  /** Milliseconds that a listener may take; then the answer is no. */
  readonly timeout: number
  /** Whether `callback()` without arguments says yes, as on `authentication`. */
  readonly emptyMeansYes?: boolean
  /** Whether at least one listener has to say `true`: by its callback, or by what it returns. @default false */
  readonly needsYes?: boolean
  /** Hears what a listener throws. */
  onerror(cause: unknown): void
  /** Hears that a listener did not answer in time: a fault of the server's. */
  ontimeout?(): void
}

/**
 * Asks every listener. One that says no, fails, or does not answer in time is enough for a no, at once. So are no listeners,
 * where {@link VetoOptions.needsYes} is set.
 * @returns `undefined` for yes
 */
export async function decide(
  listeners: readonly VetoListener[],
  args: readonly unknown[],
  options: VetoOptions,
): Promise<Refusal | undefined> {
  const unlessNeeded = (isYes: boolean) => (options.needsYes && !isYes ? forbidden() : undefined)
  if (listeners.length === 0) return unlessNeeded(false)
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      options.ontimeout?.()
      resolve({ error: refusal('veto_timeout', { field: 'vetoTimeout', limit: options.timeout }) })
    }, options.timeout)
    timer.unref()
    const settle = (outcome: Refusal | undefined) => {
      clearTimeout(timer)
      resolve(outcome)
    }
    let open = listeners.length
    let isYes = false
    for (const listener of listeners) {
      ask(listener, args, options).then((answer) => {
        open -= 1
        isYes ||= answer === true
        if (typeof answer === 'object') settle(answer)
        else if (open === 0) settle(unlessNeeded(isYes))
      })
    }
  })
}

/** A refusal, an explicit yes, or nothing against it. */
type Answer = Refusal | true | undefined

async function ask(listener: VetoListener, args: readonly unknown[], options: VetoOptions): Promise<Answer> {
  try {
    return await answerOf(listener, args, options)
  } catch (cause) {
    // A refusal with its reason.
    if (RpcError.is(cause)) return { error: cause }
    options.onerror(cause)
    return forbidden()
  }
}

function answerOf(listener: VetoListener, args: readonly unknown[], options: VetoOptions): Promise<Answer> {
  const { promise, resolve, reject } = withResolvers<Answer>()
  const callback: VetoCallback = (error, allowed) => {
    const yes = allowed || (options.emptyMeansYes && allowed === undefined)
    resolve(error ? { error } : yes ? allowed === true || undefined : forbidden())
  }
  const answersByCallback = listener.length > args.length
  Promise.resolve(listener(...args, callback)).then((returned) => {
    if (returned === false) resolve(forbidden())
    else if (returned !== undefined || !answersByCallback) resolve(returned === true || undefined)
  }, reject)
  return promise
}

function forbidden(): Refusal {
  return { error: new RpcError('forbidden') }
}

function withResolvers<T>() {
  let resolve!: (value: T) => void
  let reject!: (cause: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
