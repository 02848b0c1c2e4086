import type { Authorization } from '../claims/authorization.js'
import type { Claims } from '../claims/claims.js'

/**
 * The grants that a channel's token has added, until its subscription is decided. One of both
 * methods is called, once.
 */
export interface AddedGrants {
  /** The subscription was allowed: the grants stay. */
  keep(): void
  /** The subscription was refused: removes the grants, whatever others were added meanwhile. */
  takeBack(): void
}

/**
 * Adds a token's grants to a socket.
 * @param identify applies the token's identity, and returns a function that undoes it
 * @throws RpcError `bad_claims` if the grants are too large together, and errors of `identify`;
 *   then nothing is changed
 */
export function addClaims(
  socket: { authorization: Authorization },
  given: Claims,
  identify: () => () => void,
): AddedGrants {
  // Two requests may have the same token.
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
