import { limitError, RpcError } from '@token-socket/protocol'
import { isThenable } from '../runtime/isolated.js'

/** Answers a veto: an error, or anything falsy as `allowed`, refuses. Only the first call counts. */
export type VetoCallback = (error?: unknown, allowed?: unknown) => void

/** A listener that decides: it returns or resolves `true` or `false`, or calls the callback, its last argument. */
export type VetoListener = { listener(...args: unknown[]): unknown }['listener']

/** What refuses: claims that say `false`, a channel rule, a listener, or that neither a rule nor a claim allows it. */
export type Refuser = 'claims' | 'rules' | 'listener' | 'nothing allows it'

/** Why something is not allowed: what the caller is told. */
export interface Refusal {
  readonly error: unknown
  /** What refused, for the log. @default not known */
  readonly by?: Refuser
}

/** How a {@link decide} is made. */
export interface VetoOptions {
  /** Milliseconds that a listener may take; then the answer is no. */
  readonly timeout: number
  /** Whether `callback()` without arguments says yes, as on `authentication`. */
  readonly emptyMeansYes?: boolean
  /** Whether no listeners at all are a refusal. @default false */
  readonly needsYes?: boolean
  /** Makes the arguments of each listener its own. It does not throw. @default all get the same */
  copy?: ((args: readonly unknown[]) => readonly unknown[]) | undefined
  /** Receives what a listener throws. */
  onerror(cause: unknown): void
  /** A listener did not answer in time: a fault of the server's. */
  ontimeout?(): void
  /** A listener answered neither `true` nor `false`, and has not called back: a fault of the server's. */
  onwrong?(answer: unknown): void
}

/**
 * Asks every listener. One that refuses, fails, or does not answer in time is enough for a refusal, at once. Only `true`, or
 * the callback, allows. What a listener declares decides nothing: wrappers and default parameters hide it.
 * @returns `undefined` for yes
 */
export async function decide(
  listeners: readonly VetoListener[],
  args: readonly unknown[],
  options: VetoOptions,
): Promise<Refusal | undefined> {
  if (listeners.length === 0) return options.needsYes ? forbidden() : undefined
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      options.ontimeout?.()
      resolve({ error: limitError('veto_timeout', { field: 'vetoTimeout', limit: options.timeout }) })
    }, options.timeout)
    timer.unref()
    const settle = (outcome: Refusal | undefined) => {
      clearTimeout(timer)
      resolve(outcome)
    }
    let open = listeners.length
    for (const listener of listeners) {
      ask(listener, options.copy?.(args) ?? args, options).then((answer) => {
        open -= 1
        if (answer || open === 0) settle(answer)
      })
    }
  })
}

async function ask(
  listener: VetoListener,
  args: readonly unknown[],
  options: VetoOptions,
): Promise<Refusal | undefined> {
  try {
    return await answerOf(listener, args, options)
  } catch (cause) {
    // A refusal with its reason.
    if (RpcError.is(cause)) return { error: cause }
    options.onerror(cause)
    return forbidden()
  }
}

/** The first answer counts: the callback's, or what the listener returns. */
async function answerOf(
  listener: VetoListener,
  args: readonly unknown[],
  options: VetoOptions,
): Promise<Refusal | undefined> {
  const { promise, resolve, reject } = withResolvers<Refusal | undefined>()
  let isAnswered = false
  const answer = (refusal: Refusal | undefined) => {
    isAnswered = true
    resolve(refusal)
  }
  const callback: VetoCallback = (error, allowed) => {
    const isYes = allowed || (options.emptyMeansYes && allowed === undefined)
    answer(error ? { error } : isYes ? undefined : forbidden())
  }
  const take = (value: unknown) => {
    if (typeof value !== 'boolean' && !isAnswered) options.onwrong?.(value)
    answer(value === true ? undefined : forbidden())
  }
  const fail = (cause: unknown) => (isAnswered ? options.onerror(cause) : reject(cause))
  const returned = listener(...args, callback)
  if (isThenable(returned)) Promise.resolve(returned).then(take, fail)
  else if (typeof returned === 'boolean') take(returned)
  // The callback may still come. What a listener declares only decides when the mistake is reported.
  else if (!isAnswered && listener.length <= args.length) options.onwrong?.(returned)
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
