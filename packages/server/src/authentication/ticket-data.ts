import { encodeData } from '@token-socket/protocol'
import type { OpeningRequest } from '../socket/opening-request.js'

/** What a ticket keeps on the server. */
export interface TicketData {
  readonly auth: unknown
  /**
   * Whether `auth` is from an `authentication` function, so that its `uid`, `umd` and `channels`
   * are claims.
   */
  readonly hasClaims?: boolean
  readonly ip?: string | undefined
  readonly ips: readonly string[]
  readonly host?: string | undefined
  /** What is kept of the request that asked for it. */
  readonly opening?: OpeningRequest | undefined
  /** The hash of the session that it was asked for in. */
  readonly session?: string | undefined
  /**
   * The prefix of the server that it was asked of: it opens sockets there only. @default any, as
   * in tickets of versions before
   */
  readonly prefix?: string | undefined
  /** When it was asked for, in milliseconds since 1970. @default not known */
  readonly issuedAt?: number | undefined
}

/**
 * What a ticket should keep is neither an object nor a list once it is JSON, such as
 * `new Boolean(false)`.
 */
export class NoObject extends Error {
  override readonly name = 'NoObject'
}

/**
 * @throws NoObject if `auth` is no object as JSON
 * @throws Error if it is too large, for the log: the client can do nothing about it
 */
export function encodeTicket({ auth, ...ticket }: TicketData, limit: number): string {
  const json = encodeData({ auth, ...ticket })
  if (!OBJECT.test(json)) throw new NoObject('is no object as JSON')
  const bytes = Buffer.byteLength(json)
  if (bytes <= limit) return json
  throw new Error(`what a token stands for has ${bytes} bytes (limits.authData is ${limit}): let \
authentication return what sockets need, instead of the whole session`)
}

/** How the JSON of a ticket begins, whose first field is `auth`. */
const OBJECT = /^\{"auth":[{[]/
