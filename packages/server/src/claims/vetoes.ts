import { limitError, RpcError } from '@token-socket/protocol'
import { isThenable } from '../runtime/isolated.js'

/** Answers a veto. An error, or a falsy `allowed`, refuses. Only the first call counts. */
export type VetoCallback = (error?: unknown, allowed?: unknown) => void

/**
 * A listener that decides: it returns or resolves `true` or `false`, or calls the callback, its
 * last argument.
 */
export type VetoListener = { listener(...args: unknown[]): unknown }['listener']

/**
 * What refused a request: claims that state `false`, a channel rule, a listener, or the lack of
 * anything that allows it.
 */
export type Refuser = 'claims' | 'rules' | 'listener' | 'nothing allows it'

/** Why a request is refused. */
export interface Refusal {
  readonly error: unknown
  /** What refused it, for the log. @default not known */
  readonly by?: Refuser
}

/** Options of {@link decide}. */
export interface VetoOptions {
  /** Milliseconds in which a listener has to answer. Then the request is refused. */
  readonly timeout: number
  /** Whether `callback()` without arguments allows, as on `authentication`. */
  readonly emptyMeansYes?: boolean
  /** Whether the request is refused if there are no listeners. @default false */
  readonly needsYes?: boolean
  /**
   * Copies the arguments for each listener. It does not throw. @default all listeners share them
   */
  copy?: ((args: readonly unknown[]) => readonly unknown[]) | undefined
  /** Receives what a listener throws. */
  onerror(cause: unknown): void
  /** A listener did not answer in time, which is a fault of the application. */
  ontimeout?(): void
  /**
   * A listener answered neither `true` nor `false`, and has not called back: a fault of the
   * application.
   */
  onwrong?(answer: unknown): void
}

/**
 * Asks every listener. One that refuses, fails, or does not answer in time refuses the request at
 * once. Only `true`, or the callback, allows. The declared parameters of a listener do not matter,
 * because wrappers and default values hide them.
 * @returns `undefined` if the request is allowed
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
    // An RpcError is the reason of the refusal.
    if (RpcError.is(cause)) return { error: cause }
    options.onerror(cause)
    return forbidden()
  }
}

/** The first answer counts: that of the callback, or the returned one. */
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
  // The callback may still be called. The declared parameters only decide when the mistake is
  // reported.
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
