/** Gives the outcome of a sign-in check: an error, or what the client may be known by. */
export type AuthenticationCallback = (error?: unknown, auth?: unknown) => void

/** A function of the application that says whether, and as whom, a request may have a socket. */
export type AuthenticationFunction<Request> = (request: Request, callback: AuthenticationCallback) => unknown

/**
 * Asks the application about a request. A function answers by what it returns or resolves; one that declares its callback and
 * returns `undefined`, not a promise, answers by the callback.
 * @param settle receives the answer, or what the function threw. It may be called again: its first call counts
 */
export function callAuthentication<Request>(
  authentication: AuthenticationFunction<Request>,
  request: Request,
  settle: AuthenticationCallback,
): void {
  const returned = async () => authentication(request, settle)
  const answersByCallback = authentication.length > 1
  returned().then((auth) => {
    if (auth !== undefined || !answersByCallback) settle(undefined, auth)
  }, settle)
}
