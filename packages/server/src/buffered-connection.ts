import type { Connection } from '@token-socket/protocol'

/** A connection that says how far its reader is behind. */
export interface BufferedConnection extends Connection {
  /** Bytes that were sent and that the network has not taken yet. */
  readonly bufferedBytes: number
}
