import type { Capability } from '@token-socket/protocol'
import type { Claims } from '../claims.js'

/** Who a socket is: what the token endpoint learned, and the socket's id. */
export interface Identity {
  readonly sid: string
  /** What `authentication` returned, as JSON carries it. */
  readonly auth: unknown
  readonly ip: string | undefined
  readonly ips: readonly string[]
  readonly host: string | undefined
  /** Whether its client knows of offsets; the old one does not. @default true */
  readonly counts?: boolean
  /** What its client can do beyond the first version of the wire. @default nothing */
  readonly can?: readonly Capability[] | undefined
  /** What `authentication` said about who it is and what it may do on channels. @default nothing */
  readonly claims?: Claims | undefined
  /** The hash of the sign-in's session. @default none is known */
  readonly session?: string | undefined
}
