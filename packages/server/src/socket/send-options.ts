import { MethodOptions } from '../options/method-options.js'
import { badOption } from '../options/option-checks.js'

/**
 * What the promise of a message to a connection stands for:
 *
 * - `node`: the node of the connection has taken the message into its queue for the client;
 * - `written`: the operating system of that node has taken the message from it. Over HTTP, the
 *   response that holds the message was written;
 * - `client`: the client has the message, and its listeners have run.
 */
export type SendAck = 'node' | 'written' | 'client'

/** How a message is sent to a connection. */
export interface SendOptions {
  /** What the promise waits for. @default 'written' */
  readonly ack?: SendAck | undefined
  /**
   * Whether the promise rejects if there is no such connection. With `false` it resolves with
   * `false`. @default true
   */
  readonly throwIfNotConnected?: boolean | undefined
  /** Milliseconds that the promise may take; 0 or `Infinity` for no limit. @default limits.callTimeout */
  readonly timeout?: number | undefined
}

const ACKS: readonly unknown[] = ['node', 'written', 'client'] satisfies SendAck[]

const OPTIONS = new MethodOptions({ ack: 'checked', throwIfNotConnected: 'flag', timeout: 'checked' })

/** @throws RpcError `bad_option` */
export function checkSendOptions(options: SendOptions): void {
  OPTIONS.check(options)
  if (options?.ack !== undefined && !ACKS.includes(options.ack))
    throw badOption('ack', `has to be one of ${ACKS.join(', ')}`)
}
