import type { Authorization } from '../claims/authorization.js'
import type { Claims } from '../claims/claims.js'

/**
 * What a token for a channel has added, until its subscription is decided. One of both is called,
 * once.
 */
export interface AddedGrants {
  /** The subscription was let through: what was added stays. */
  keep(): void
  /**
   * The subscription was refused after all: what was added is taken away, whatever others have
   * added meanwhile.
   */
  takeBack(): void
}

/**
 * Adds what a token says to what a socket may do.
 * @param identify takes what it says of the user, and returns a function that undoes it
 * @throws RpcError `bad_claims` if that is too much together, and what `identify` throws; then it
 *   is as before
 */
export function addClaims(
  socket: { authorization: Authorization },
  given: Claims,
  identify: () => () => void,
): AddedGrants {
  // Two requests may bring the same token.
  const claims = { ...given }
  const added = socket.authorization.withPending(claims)
  const forget = identify()
  socket.authorization = added
  let isSettled = false
  return {
    keep: () => {
      isSettled = true
      socket.authorization = socket.authorization.withKept(claims)
    },
    takeBack: () => {
      if (isSettled) return
      isSettled = true
      socket.authorization = socket.authorization.without(claims)
      forget()
    },
  }
}
