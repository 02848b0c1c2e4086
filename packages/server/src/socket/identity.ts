import type { Capability } from '@token-socket/protocol'
import type { AuthorizationSource } from '../claims/authorization.js'
import type { OpeningRequest } from './opening-request.js'

/** The identity of a socket: the result of the token endpoint, and the socket's id. */
export interface Identity extends AuthorizationSource {
  readonly sid: string
  readonly ip: string | undefined
  readonly ips: readonly string[]
  readonly host: string | undefined
  /** The kept parts of the request that identified it. @default nothing */
  readonly opening?: OpeningRequest | undefined
  /** Whether its client uses offsets; the legacy one does not. @default true */
  readonly counts?: boolean
  /** The capabilities of its client. @default none */
  readonly can?: readonly Capability[] | undefined
}
