import { encodeData } from '@token-socket/protocol'
import type { OpeningRequest } from '../socket/opening-request.js'

/** The data that a ticket keeps on the server. */
export interface TicketData {
  readonly auth: unknown
  /**
   * Whether `auth` is the result of an `authentication` function, so that its `uid`, `umd` and
   * `channels` are claims.
   */
  readonly hasClaims?: boolean
  readonly ip?: string | undefined
  readonly ips: readonly string[]
  readonly host?: string | undefined
  /** Data of the request for it. */
  readonly opening?: OpeningRequest | undefined
  /** The hash of the session that requested it. */
  readonly session?: string | undefined
  /**
   * The prefix of the server that issued it: it opens sockets there only. @default any, as in
   * tickets of earlier versions
   */
  readonly prefix?: string | undefined
  /** When it was requested, in milliseconds since 1970. @default not known */
  readonly issuedAt?: number | undefined
}

/** The data for a ticket is neither an object nor a list as JSON, such as `new Boolean(false)`. */
export class NoObject extends Error {
  override readonly name = 'NoObject'
}

/**
 * @throws NoObject if `auth` is no object as JSON
 * @throws Error if it is too large. It is only logged, because the client cannot correct it
 */
export function encodeTicket({ auth, ...ticket }: TicketData, limit: number): string {
  const json = encodeData({ auth, ...ticket })
  if (!OBJECT.test(json)) throw new NoObject('is no object as JSON')
  const bytes = Buffer.byteLength(json)
  if (bytes <= limit) return json
  throw new Error(`what a token stands for has ${bytes} bytes (limits.authData is ${limit}): let \
authentication return what sockets need, instead of the whole session`)
}

/** The beginning of a ticket's JSON, whose first field is `auth`. */
const OBJECT = /^\{"auth":[{[]/
