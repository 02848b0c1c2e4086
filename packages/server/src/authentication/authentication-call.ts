import { isThenable } from '../runtime/isolated.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { isError } from '../runtime/thrown-values.js'

/** Gives the outcome of a sign-in check: an error, or what the client may be known by. */
export type AuthenticationCallback = (error?: unknown, auth?: unknown) => void

/** A function of the application that says whether, and as whom, a request may have a socket. */
export type AuthenticationFunction<Request> = (request: Request, callback: AuthenticationCallback) => unknown

/** An {@link AuthenticationFunction}, and what its mistakes are reported by. */
export interface AuthenticationOption<Request> {
  /** The option that gives it. */
  readonly name: 'authentication' | 'connectAuthentication'
  readonly authentication: AuthenticationFunction<Request>
  readonly log: Pick<ThrottledLog, 'write'>
  /** Whether mistakes that may be none are reported, too. */
  readonly isDevelopment: boolean
}

/**
 * Asks the application about a request. A function answers by what it returns or resolves; one that
 * declares its callback and returns `undefined`, not a promise, answers by the callback. The first
 * answer counts. An error that it gives as its answer counts as thrown.
 * @returns a promise of the answer, which rejects with what the function throws, whatever that is
 */
export function callAuthentication<Request>(
  option: AuthenticationOption<Request>,
  request: Request,
): Promise<unknown> {
  // No closure, and no frame that waits, holds the request: the application may never answer.
  return firstAnswer(option, request).then((auth) => withoutErrors(option, auth))
}

function firstAnswer<Request>(option: AuthenticationOption<Request>, request: Request): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let isAnswered = false
    const answersByCallback = option.authentication.length > 1
    const returned = option.authentication(request, (error, auth) => {
      isAnswered = true
      if (error) reject(error)
      else resolve(auth)
    })
    if (isThenable(returned)) return take(returned, { answersByCallback, resolve, reject })
    if (returned && answersByCallback && !isAnswered) warnOfReturned(option)
    if (returned !== undefined || !answersByCallback) resolve(returned)
  })
}

/** How a promise's answer is taken. */
interface Taking {
  readonly answersByCallback: boolean
  resolve(auth: unknown): void
  reject(cause: unknown): void
}

function take(returned: PromiseLike<unknown>, { answersByCallback, resolve, reject }: Taking): void {
  Promise.resolve(returned).then((auth) => {
    if (auth !== undefined || !answersByCallback) resolve(auth)
  }, reject)
}

/** @throws the answer, if it is an error */
function withoutErrors(option: AuthenticationOption<never>, auth: unknown): unknown {
  if (!isError(auth)) return auth
  warn(
    option,
    'error',
    'gave an error as its answer, which counts as thrown: throw it, or call callback(error)',
  )
  throw auth
}

/**
 * Libraries with callbacks return flags. A function that returns one of them lets clients in by
 * accident.
 */
function warnOfReturned(option: AuthenticationOption<never>): void {
  const what = 'takes a callback and returned a value, which counts: return nothing to answer by the callback'
  if (option.isDevelopment) warn(option, 'returned', what)
}

function warn({ name, log }: AuthenticationOption<never>, kind: string, what: string): void {
  log.write(`${name} ${kind}`, ['warn', { option: name }, `${name} ${what}`])
}
