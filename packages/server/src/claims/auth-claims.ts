import { type Claims, readClaims } from './claims.js'

/**
 * Returns whether the `uid`, `umd` and `channels` of an application's `auth` are claims. Sessions,
 * and users of applications without claims, may use these names for something else.
 */
export function isClaims(auth: unknown): boolean {
  if (typeof auth !== 'object' || auth === null) return false
  const { uid, channels } = auth as { readonly uid?: unknown; readonly channels?: unknown }
  return channels !== undefined || typeof uid === 'string'
}

/**
 * Returns the claims in an application's `auth`, at the sign-in or when it is replaced later.
 * @returns `undefined` if there are none
 * @throws RpcError `bad_claims`
 */
export function claimsOf(auth: unknown): Claims | undefined {
  return isClaims(auth) ? readClaims(auth) : undefined
}
