import { type Claims, readClaims } from './claims.js'

/**
 * Whether `uid`, `umd` and `channels` of what an application gave as auth are claims. Sessions, and
 * users of applications that know no claims, have their own ideas of what a `uid` is.
 */
export function isClaims(auth: unknown): boolean {
  if (typeof auth !== 'object' || auth === null) return false
  const { uid, channels } = auth as { readonly uid?: unknown; readonly channels?: unknown }
  return channels !== undefined || typeof uid === 'string'
}

/**
 * What an application's auth says of who a user is and what they may do: at the sign-in, and in
 * place of it later.
 * @returns `undefined` if it says nothing
 * @throws RpcError `bad_claims`
 */
export function claimsOf(auth: unknown): Claims | undefined {
  return isClaims(auth) ? readClaims(auth) : undefined
}
