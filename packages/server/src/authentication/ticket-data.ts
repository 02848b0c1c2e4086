import { encodeData } from '@token-socket/protocol'

/** What a ticket keeps on the server. */
export interface TicketData {
  readonly auth: unknown
  /** Whether `auth` is from an `authentication` function, so that its `uid`, `umd` and `channels` are claims. */
  readonly hasClaims?: boolean
  readonly ip?: string | undefined
  readonly ips: readonly string[]
  readonly host?: string | undefined
  /** The hash of the session that it was asked for in. */
  readonly session?: string | undefined
}

/** @throws Error if it is too large, for the log: the client can do nothing about it */
export function encodeTicket(ticket: TicketData, limit: number): string {
  const json = encodeData(ticket)
  const bytes = Buffer.byteLength(json)
  if (bytes <= limit) return json
  throw new Error(`what a token stands for has ${bytes} bytes (limits.authData is ${limit}): let \
authentication return what sockets need, instead of the whole session`)
}
