import { limitTime } from '../runtime/time-limit.js'
import { asTokenError, checkToken } from './token-source.js'

/**
 * Requests a token from a function of the application.
 * @throws RpcError `token_failed` if the function fails, or returns no token
 */
export async function givenToken(give: () => unknown): Promise<string> {
  try {
    return checkToken(await give())
  } catch (error) {
    throw asTokenError(error)
  }
}

/**
 * Provides tokens that the application signed, instead of the token route's: the same one each
 * time, or a function's.
 */
export class TokenProvider {
  readonly #give: () => unknown
  readonly #timeout: number

  /** @param timeout milliseconds that a function may take */
  constructor(token: string | (() => unknown), timeout: number) {
    this.#give = typeof token === 'function' ? token : () => token
    this.#timeout = timeout
  }

  /** Returns a token. @throws RpcError `token_failed` */
  request(signal: AbortSignal): Promise<string> {
    return givenToken(() => limitTime([this.#timeout], signal, async () => this.#give()))
  }
}
