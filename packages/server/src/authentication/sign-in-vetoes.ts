import type { VetoListeners } from '../channels/veto-listeners.js'
import type { Refusal } from '../claims/vetoes.js'
import type { MiddlewareStack } from '../middleware/middleware-stack.js'
import type { ServerSocket } from '../socket/server-socket.js'

/** Asks the `authentication` listeners, and the middleware around them. */
export class SignInVetoes {
  readonly #listeners: Pick<VetoListeners, 'decide'>
  readonly #middleware: Pick<MiddlewareStack, 'aroundSignIn'>

  constructor(listeners: Pick<VetoListeners, 'decide'>, middleware: Pick<MiddlewareStack, 'aroundSignIn'>) {
    this.#listeners = listeners
    this.#middleware = middleware
  }

  /**
   * Decides whether a socket may sign in, or refresh its authorization.
   * @param auth the `auth` of the token
   * @returns the refusal, if any. Synchronous if no listener and no middleware is asked
   */
  decide(socket: ServerSocket, auth: unknown): Refusal | undefined | Promise<Refusal | undefined> {
    return this.#middleware.aroundSignIn(socket, auth, () =>
      this.#listeners.decide('authentication', socket, auth),
    )
  }
}
