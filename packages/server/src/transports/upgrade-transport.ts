import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** An upgrade request that has passed the gate. */
export interface Upgrade {
  /** The path below the prefix, such as `/websocket`. */
  readonly path: string
  /** What came with the request. */
  readonly head: Buffer
}

/** A transport whose connections begin with an upgrade request. */
export interface UpgradeTransport {
  /** How many connections it has, those included that wait to be let in. */
  readonly size: number
  /** Whether an upgrade is for it. @param path below the prefix */
  takes(path: string): boolean
  /** Answers an upgrade request, now or later. */
  upgrade(request: IncomingMessage, socket: Duplex, upgrade: Upgrade): void
}
