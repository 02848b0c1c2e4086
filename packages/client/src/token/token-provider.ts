import { limitTime } from '../runtime/time-limit.js'
import { asTokenError, checkToken } from './token-source.js'

/**
 * A token that a function of the application gives.
 * @throws RpcError `token_failed` if the function fails, or gives anything but a token
 */
export async function givenToken(give: () => unknown): Promise<string> {
  try {
    return checkToken(await give())
  } catch (error) {
    throw asTokenError(error)
  }
}

/** Signed tokens of the application's own instead of the token route's: the same one each time, or a function's. */
export class TokenProvider {
  readonly #give: () => unknown
  readonly #timeout: number

  /** @param timeout milliseconds that a function may take */
  constructor(token: string | (() => unknown), timeout: number) {
    this.#give = typeof token === 'function' ? token : () => token
    this.#timeout = timeout
  }

  /** One token. @throws RpcError `token_failed` */
  request(signal: AbortSignal): Promise<string> {
    return givenToken(() => limitTime([this.#timeout], signal, async () => this.#give()))
  }
}
