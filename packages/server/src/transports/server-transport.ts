import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RequestOrigin } from '../http/origins.js'
import type { TransportName } from './transport-names.js'

/** A request, and its response. */
export type Exchange = readonly [IncomingMessage, ServerResponse]

/** A request that has passed the gate. */
export interface PassedRequest {
  /** The path below the prefix, such as `/info`. */
  readonly path: string
  readonly origin: RequestOrigin
}

/** An upgrade request that has passed the gate. */
export interface PassedUpgrade {
  /** The path below the prefix, such as `/websocket`. */
  readonly path: string
  /** What came with the request. */
  readonly head: Buffer
}

/** The paths below the prefix that a transport takes. */
export interface TransportPaths {
  /** Whether it answers a request. @default no request */
  request?(path: string): boolean
  /** Whether it answers an upgrade. @default no upgrade */
  upgrade?(path: string): boolean
}

/**
 * A way in for clients. The gate checks the origin, the size and the limits of what comes below the
 * prefix. The transport answers it, and hands each connection to the server.
 */
export interface ServerTransport {
  /** The names of the option `transports` that stand for it, or for a part of it. */
  readonly names: readonly TransportName[]
  readonly paths: TransportPaths
  /**
   * How many connections it has, including those that wait to be let in. A connection counts for
   * one transport.
   */
  readonly size: number
  /** Answers a request whose path it takes. */
  request?(exchange: Exchange, request: PassedRequest): void
  /** Answers an upgrade request whose path it takes, now or later. */
  upgrade?(request: IncomingMessage, socket: Duplex, upgrade: PassedUpgrade): void
  /** Stops its timers. Connections are closed by those who own them. */
  close(): void
}
