import type { Claims } from '../claims.js'
import { Grants } from '../grants.js'

/** What a token for a channel has added, until its subscription is decided. One of both is called, once. */
export interface AddedGrants {
  /** The subscription was let through: what was added stays. */
  keep(): void
  /** The subscription was refused after all: what was added is taken away, whatever others have added meanwhile. */
  takeBack(): void
}

/** What a socket may do: by its own claims, and by its tokens for channels. */
export class SocketGrants {
  /** All of it together. */
  current: Grants
  #kept: Grants
  /** What may be taken back. */
  readonly #added = new Set<Claims>()

  constructor(claims: Claims | undefined) {
    this.#kept = Grants.of(claims)
    this.current = this.#kept
  }

  /**
   * Adds what a token says.
   * @param identify takes what it says of the user, and returns a function that undoes it
   * @throws RpcError `bad_claims` if that is too much together, and what `identify` throws; then it is as before
   */
  add(given: Claims, identify: () => () => void): AddedGrants {
    const grants = this.current.add(given)
    const forget = identify()
    this.current = grants
    // Two requests may bring the same token.
    const claims = { ...given }
    this.#added.add(claims)
    return {
      keep: () => {
        if (!this.#added.delete(claims)) return
        this.#kept = this.#kept.add(claims)
      },
      takeBack: () => {
        if (!this.#added.delete(claims)) return
        this.current = [...this.#added].reduce((all, one) => all.add(one), this.#kept)
        forget()
      },
    }
  }
}
