import { startTimeout } from '@token-socket/protocol'
import type { BrokerListener, NodeCommand, PresenceEvent, Publication } from '../engine/engine.js'
import { LOG_CHANNEL } from './authorization-order.js'

/** Milliseconds for which a delivery waits, at most. */
const LONGEST_HOLD = 3000

/** Deliveries that wait, at most. */
const LIMIT = 100_000

/** Dependencies of {@link HeldDeliveries}. */
export interface HeldDeliveriesOwner {
  /** A publication of the authorization log. It does not wait. */
  order(publication: Publication): void
  /**
   * Called before each delivery. It calls {@link HeldDeliveries.hold} if the delivery has to wait.
   */
  before(): void
}

/** Holds deliveries back, in order, while this node reads which authorisations have changed. */
export class HeldDeliveries implements BrokerListener {
  readonly #owner: HeldDeliveriesOwner
  readonly #next: BrokerListener
  #waiting: (() => void)[] | undefined
  #stopTimer = () => {}

  constructor(owner: HeldDeliveriesOwner, next: BrokerListener) {
    this.#owner = owner
    this.#next = next
  }

  /** From now on deliveries wait, for at most 3 s. */
  hold(): void {
    this.#waiting ??= []
  }

  /** Delivers what waits. From now on deliveries do not wait. */
  release(): void {
    this.#stopTimer()
    const waiting = this.#waiting ?? []
    // The list may grow during the loop: deliveries that arrive meanwhile are appended.
    for (let index = 0; index < waiting.length; index += 1) waiting[index]?.()
    this.#waiting = undefined
  }

  publication(publication: Publication): void {
    if (publication.channel === LOG_CHANNEL) return this.#owner.order(publication)
    this.#owner.before()
    if (this.#waiting) this.#wait(() => this.#next.publication(publication))
    else this.#next.publication(publication)
  }

  broadcast(json: string): void {
    this.#owner.before()
    if (this.#waiting) this.#wait(() => this.#next.broadcast(json))
    else this.#next.broadcast(json)
  }

  command(command: NodeCommand): void {
    this.#owner.before()
    if (this.#waiting) this.#wait(() => this.#next.command(command))
    else this.#next.command(command)
  }

  presence(event: PresenceEvent): void {
    this.#owner.before()
    if (this.#waiting) this.#wait(() => this.#next.presence(event))
    else this.#next.presence(event)
  }

  #wait(deliver: () => void): void {
    const count = this.#waiting?.push(deliver) ?? 0
    if (count === 1) this.#stopTimer = startTimeout(LONGEST_HOLD, () => this.release())
    if (count > LIMIT) this.release()
  }
}
