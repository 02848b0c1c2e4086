import { createTimeouts, encodeError } from '@token-socket/protocol'
import { Grants } from '../claims/grants.js'
import type { ChannelAnswer, ServerSocket } from '../socket/server-socket.js'
import type { PendingSubscription, PendingSubscriptions } from './pending-subscriptions.js'

/** Dependencies of {@link AutomaticSubscriptions}. */
export interface AutomaticSubscriptionsOwner {
  readonly pending: PendingSubscriptions
  has(socket: ServerSocket, channel: string): boolean
  /** Subscribes a socket, if it may, as if its client had asked. */
  request(socket: ServerSocket, channel: string): Promise<ChannelAnswer>
  failed(cause: unknown, details: object): void
}

/** Receives what refused a socket's automatic subscription: the first time, and for good. */
export type RefusalListener = (channel: string, error: unknown) => void

/** A channel to which the server is to subscribe a socket. */
interface Desired {
  readonly socket: ServerSocket
  readonly channel: string
  readonly refused: RefusalListener
  /** Ended by an unsubscribe, of the client or of the server. */
  readonly pending: PendingSubscription
  /** The version of the authorization that named it. */
  readonly version: number
  failures: number
}

/** Refusals of what may be possible later. Limits are among them: other channels, sockets or members may go. */
const RETRYABLE = /^(engine_unavailable|timeout|too_many_.*)$/

/** Milliseconds until the next try, on average; twice as long after each one, 32 times at most. */
const RETRY = 1000

/**
 * Subscribes sockets to what their grants name. What a limit or the engine refuses is tried again, less and less often, as
 * long as the socket lives and neither its client nor the server has unsubscribed it meanwhile.
 */
export class AutomaticSubscriptions {
  readonly #owner: AutomaticSubscriptionsOwner
  readonly #timeouts = createTimeouts()

  constructor(owner: AutomaticSubscriptionsOwner) {
    this.#owner = owner
  }

  /**
   * A socket was let in, or its grants were replaced.
   * @param before the grants until now: what they name is not begun again. @default none
   */
  begin(socket: ServerSocket, refused: RefusalListener, before = Grants.none): void {
    const { autoSubscribe } = socket.grants
    const known = new Set(autoSubscribe.length > 0 ? before.autoSubscribe : [])
    for (const channel of autoSubscribe) {
      if (known.has(channel)) continue
      const pending = this.#owner.pending.begin(socket, channel)
      const { version } = socket.authorization
      this.#try({ socket, channel, refused, pending, version, failures: 0 })
    }
  }

  #try(desired: Desired): void {
    const { socket, channel, pending } = desired
    socket
      .inOrder(channel, () => this.#request(desired))
      .then(
        ({ error }) => this.#answered(desired, error),
        (cause) => {
          pending.end()
          this.#owner.failed(cause, { sid: socket.sid, channel })
        },
      )
  }

  /** What it waits for may have come to pass, or be over, meanwhile. */
  async #request(desired: Desired): Promise<ChannelAnswer> {
    const { socket, channel, pending, failures } = desired
    const isOver =
      socket.isClosed ||
      pending.isCancelled ||
      (failures > 0 && this.#owner.has(socket, channel)) ||
      !isNamed(desired)
    return isOver ? {} : this.#owner.request(socket, channel)
  }

  #answered(desired: Desired, error: unknown): void {
    const { channel, refused, pending } = desired
    const isPassing = error && RETRYABLE.test(encodeError(error).code ?? '') && !pending.isCancelled
    if (error && (!isPassing || desired.failures === 0)) refused(channel, error)
    if (!isPassing) return pending.end()
    const wait = RETRY * 2 ** Math.min(desired.failures, 5) * (0.5 + Math.random())
    desired.failures += 1
    this.#timeouts.set(() => this.#try(desired), wait)
  }
}

/** Whether the socket's grants name it still. */
function isNamed({ socket, channel, version }: Desired): boolean {
  const { authorization, grants } = socket
  return authorization.version === version || grants.autoSubscribe.includes(channel)
}
