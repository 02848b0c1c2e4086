import type { TokenSocket } from '@token-socket/client'
import type { MessageOrder } from '../message-order.js'

/** What the parts of a client of a contract have in common. */
export interface ContractSettings {
  readonly socket: TokenSocket
  /** Whether to check what is sent. */
  readonly checkSent: boolean
  /**
   * Milliseconds that an asynchronous schema may take, and a call whose options name no time-out.
   */
  readonly timeout: number
  /** Keeps the order of what is sent. */
  readonly sent: MessageOrder
  /** Keeps the order of what arrives: messages, calls, answers, and what comes on channels. */
  readonly received: MessageOrder
  /** Receives errors that reject no promise. */
  fail(cause: unknown): void
}
