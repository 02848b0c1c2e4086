import { addressBlock } from '../http/address-block.js'

/** Who is behind a socket. */
export interface RateOwner {
  /** The user's uid, else the sign-in's session, if either is known. */
  readonly subject: string | undefined
  readonly ip: string | undefined
}

/** By what limits for each user count: the user's name; without one, the address. */
export function rateOwnerOf({ subject, ip }: RateOwner): string {
  return subject ?? `address:${addressBlock(ip ?? '')}`
}
