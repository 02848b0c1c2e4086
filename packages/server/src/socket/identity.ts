import type { Capability } from '@token-socket/protocol'
import type { AuthorizationSource } from '../claims/authorization.js'
import type { OpeningRequest } from './opening-request.js'

/** Who a socket is: what the token endpoint learned, and the socket's id. */
export interface Identity extends AuthorizationSource {
  readonly sid: string
  readonly ip: string | undefined
  readonly ips: readonly string[]
  readonly host: string | undefined
  /** What is kept of the request that said who it is. @default nothing */
  readonly opening?: OpeningRequest | undefined
  /** Whether its client knows of offsets; the old one does not. @default true */
  readonly counts?: boolean
  /** What its client can do beyond the first version of the wire. @default nothing */
  readonly can?: readonly Capability[] | undefined
}
