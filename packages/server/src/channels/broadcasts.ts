import { RpcError } from '@token-socket/protocol'
import { eventLoop } from '../runtime/event-loop.js'

/** Deliveries of broadcasts in one turn of the event loop, and their UTF-16 code units. */
const SHARE = { deliveries: 1000, units: 1024 * 1024 } as const

/** Broadcasts that may wait for an earlier one. One more of a client is refused. */
export const WAITING_BROADCASTS = 100

/** Dependencies of {@link Broadcasts}. */
export interface BroadcastsOwner {
  /** The names of the channels that a socket is on. */
  readonly channels: readonly string[]
  /** Delivers to the sockets on one channel. @returns how many there are */
  deliver(publication: { readonly channel: string; readonly json: string }): number
}

/**
 * Delivers broadcasts to every channel, a share in each turn of the event loop, so that many
 * deliveries do not delay other sockets. Broadcasts keep their order. The sockets of one channel
 * receive one in the same turn.
 */
export class Broadcasts {
  readonly #owner: BroadcastsOwner
  readonly #defer: (run: () => void) => void
  /** Waiting broadcasts, the oldest first. */
  readonly #waiting: string[] = []
  /** The broadcast under way, and the channels that have not received it. */
  #json = ''
  #channels: Iterator<string> | undefined

  /** @param defer runs a function in the next turn */
  constructor(owner: BroadcastsOwner, defer: (run: () => void) => void = eventLoop.setImmediate) {
    this.#owner = owner
    this.#defer = defer
  }

  /** Throws if too many wait to add one of a client. @throws RpcError `too_many_messages` */
  checkRoom(): void {
    if (this.#waiting.length < WAITING_BROADCASTS) return
    const data = { field: 'broadcasts', limit: WAITING_BROADCASTS }
    throw new RpcError('too_many_messages', `Too many broadcasts wait (limit ${WAITING_BROADCASTS})`, data)
  }

  /**
   * Delivers a broadcast. Its first share is delivered now, unless an earlier broadcast is under
   * way.
   */
  add(json: string): void {
    if (this.#channels) return void this.#waiting.push(json)
    this.#begin(json)
    this.#deliverShare()
  }

  #begin(json: string): void {
    this.#json = json
    this.#channels = this.#owner.channels[Symbol.iterator]()
  }

  readonly #deliverShare = () => {
    let [deliveries, units] = [0, 0]
    while (deliveries < SHARE.deliveries && units < SHARE.units) {
      const next = this.#channels?.next()
      if (next === undefined) return
      if (next.done) this.#beginNext()
      else {
        const count = this.#owner.deliver({ channel: next.value, json: this.#json })
        deliveries += Math.max(count, 1)
        units += count * this.#json.length
      }
    }
    this.#defer(this.#deliverShare)
  }

  #beginNext(): void {
    const json = this.#waiting.shift()
    this.#channels = undefined
    if (json !== undefined) this.#begin(json)
  }
}
