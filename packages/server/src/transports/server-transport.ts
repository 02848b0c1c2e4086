import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RequestOrigin } from '../http/origins.js'
import type { TransportName } from './transport-names.js'

/** A request, and its response. */
export type Exchange = readonly [IncomingMessage, ServerResponse]

/** A request that the gate has checked. */
export interface PassedRequest {
  /** The path below the prefix, such as `/info`. */
  readonly path: string
  readonly origin: RequestOrigin
}

/** An upgrade request that the gate has checked. */
export interface PassedUpgrade {
  /** The path below the prefix, such as `/websocket`. */
  readonly path: string
  /** The data that came with the request. */
  readonly head: Buffer
}

/** The paths below the prefix that a transport serves. */
export interface TransportPaths {
  /** Returns whether it answers a request. @default no requests */
  request?(path: string): boolean
  /** Returns whether it answers an upgrade. @default no upgrades */
  upgrade?(path: string): boolean
}

/**
 * A transport. The gate checks the origin, the size and the limits of requests below the prefix.
 * The transport answers them, and passes each connection to the server.
 */
export interface ServerTransport {
  /** The names in the option `transports` that enable it, or a part of it. */
  readonly names: readonly TransportName[]
  readonly paths: TransportPaths
  /**
   * How many connections it has, including those that wait to be authenticated. A connection counts
   * for one transport.
   */
  readonly size: number
  /** Answers a request whose path it serves. */
  request?(exchange: Exchange, request: PassedRequest): void
  /** Answers an upgrade request whose path it serves, now or later. */
  upgrade?(request: IncomingMessage, socket: Duplex, upgrade: PassedUpgrade): void
  /** Stops its timers. The owners of its connections close them. */
  close(): void
}
