import { createTimeouts, encodeError, REPEATABLE, RETRY_DELAY } from '@token-socket/protocol'
import { Grants } from '../claims/grants.js'
import type { ChannelAnswer, ServerSocket } from '../socket/server-socket.js'
import type { PendingSubscription, PendingSubscriptions } from './pending-subscriptions.js'

/** Dependencies of {@link AutomaticSubscriptions}. */
export interface AutomaticSubscriptionsOwner {
  readonly pending: PendingSubscriptions
  has(socket: ServerSocket, channel: string): boolean
  /** Subscribes a socket, if it may, as if its client had requested it. */
  request(socket: ServerSocket, channel: string): Promise<ChannelAnswer>
  failed(cause: unknown, details: object): void
}

/** Receives why an automatic subscription was refused: the first time, and if it is final. */
export type RefusalListener = (channel: string, error: unknown) => void

/** A channel that the server has to subscribe a socket to. */
interface Desired {
  readonly socket: ServerSocket
  readonly channel: string
  readonly refused: RefusalListener
  /** An unsubscribe, by the client or the server, ends it. */
  readonly pending: PendingSubscription
  /** The version of the authorization that named it. */
  readonly version: number
  failures: number
}

/**
 * Subscribes sockets to the channels that their grants name. If a limit or the engine refuses, it
 * tries again, less and less often, as long as the socket lives and was not unsubscribed meanwhile.
 */
export class AutomaticSubscriptions {
  readonly #owner: AutomaticSubscriptionsOwner
  readonly #timeouts = createTimeouts()

  constructor(owner: AutomaticSubscriptionsOwner) {
    this.#owner = owner
  }

  /**
   * Begins after a socket is authenticated, or its grants were replaced.
   * @param before the former grants; channels that they name are not begun again. @default none
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

  /** The condition it waits for may have been met, or may have passed, meanwhile. */
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
    const isPassing = error && mayPass(encodeError(error).code ?? '') && !pending.isCancelled
    if (error && (!isPassing || desired.failures === 0)) refused(channel, error)
    if (!isPassing) return pending.end()
    const wait = RETRY_DELAY * 2 ** Math.min(desired.failures, 5) * (0.5 + Math.random())
    desired.failures += 1
    this.#timeouts.set(() => this.#try(desired), wait)
  }
}

/** Whether a refusal may pass. Limits may, because other channels, sockets or members may leave. */
function mayPass(code: string): boolean {
  return REPEATABLE.test(code) || code.startsWith('too_many_')
}

/** Whether the socket's grants still name it. */
function isNamed({ socket, channel, version }: Desired): boolean {
  const { authorization, grants } = socket
  return authorization.version === version || grants.autoSubscribe.includes(channel)
}
