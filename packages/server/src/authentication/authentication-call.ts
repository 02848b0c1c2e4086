import { isThenable } from '../runtime/isolated.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { isError } from '../runtime/thrown-values.js'

/** Passes the result of `authentication`: an error, or the user's `auth`. */
export type AuthenticationCallback = (error?: unknown, auth?: unknown) => void

/**
 * A function of the application that decides whether a request may open a socket, and for which
 * user.
 */
export type AuthenticationFunction<Request> = (request: Request, callback: AuthenticationCallback) => unknown

/** An {@link AuthenticationFunction}, and what reports its mistakes. */
export interface AuthenticationOption<Request> {
  /** The option that the function is given as. */
  readonly name: 'authentication' | 'connectAuthentication'
  readonly authentication: AuthenticationFunction<Request>
  readonly log: Pick<ThrottledLog, 'write'>
  /** Whether possible mistakes are reported, too. */
  readonly isDevelopment: boolean
}

/**
 * Asks the application about a request. A function answers with its return value or promise. One
 * that declares its callback and returns `undefined` answers with the callback. The first answer
 * counts. An error as an answer counts as thrown.
 * @returns a promise of the answer, which rejects with what the function throws, whatever that is
 */
export function callAuthentication<Request>(
  option: AuthenticationOption<Request>,
  request: Request,
): Promise<unknown> {
  // No closure and no waiting frame holds the request, because the application may never answer.
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

/** How the answer of a promise is received. */
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

/** @throws the answer if it is an error */
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
 * Warns of a returned flag. Libraries with callbacks return flags; such a function would
 * authenticate clients by accident.
 */
function warnOfReturned(option: AuthenticationOption<never>): void {
  const what = 'takes a callback and returned a value, which counts: return nothing to answer by the callback'
  if (option.isDevelopment) warn(option, 'returned', what)
}

function warn({ name, log }: AuthenticationOption<never>, kind: string, what: string): void {
  log.write(`${name} ${kind}`, ['warn', { option: name }, `${name} ${what}`])
}
