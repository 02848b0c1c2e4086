import type { BufferedConnection } from './buffered-connection.js'
import { BulkQueue } from './bulk-queue.js'
import type { SlowReader } from './closings.js'
import { HeldSize } from './held-size.js'
import { type Flusher, Outbox } from './outbox.js'
import { PausedMessages } from './paused-messages.js'

/** Bounds of what waits for one socket; see the server's limits of the same names. */
export interface FlowLimits {
  readonly outbox: number
  readonly readTimeout: number
  readonly message: number
}

/** Dependencies of a {@link MessageFlow}. */
export interface MessageFlowOwner {
  readonly flusher: Flusher
  readonly limits: FlowLimits
  /** A message of the client, when its turn has come. */
  receive(text: unknown): void
  /** The client does not read: the connection is about to be closed. */
  onslow(reader: SlowReader): void
}

/** Messages of the largest size that may wait until their client reads. */
const PAUSED = 4

/** What goes to one client and comes from it, at the pace at which the client reads. */
export class MessageFlow {
  readonly outbox: Outbox
  /** What makes bulk for the client. */
  readonly bulk: BulkQueue
  readonly inbox: PausedMessages
  /** What is held for the client until its subscriptions are up to date. */
  readonly held = new HeldSize()

  constructor(connection: BufferedConnection, { flusher, limits, receive, onslow }: MessageFlowOwner) {
    const ondrained = () => {
      this.inbox.resume()
      this.bulk.resume()
    }
    const { outbox: budget, readTimeout, message } = limits
    this.outbox = new Outbox(connection, { flusher, budget, readTimeout, onslow, ondrained })
    this.bulk = new BulkQueue(() => this.outbox.isCaughtUp())
    this.inbox = new PausedMessages({
      limit: PAUSED * message,
      hasRoom: () => this.outbox.hasRoom(),
      receive,
      onoverflow: () => this.outbox.overflow(),
      setPaused: (isPaused) => connection.setPaused?.(isPaused),
    })
  }

  /** The connection is gone. */
  end(): void {
    this.outbox.clear()
    this.inbox.clear()
    this.bulk.end()
  }
}
