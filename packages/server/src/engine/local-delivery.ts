import type { BrokerListener, NodeCommand, PresenceEvent, Publication } from './engine.js'

/**
 * The part of a one-process broker that does not depend on its storage: the subscribed channels,
 * and the listener. The listener receives everything in the order of delivery, also what is
 * delivered while it runs.
 */
export class LocalDelivery {
  readonly #channels = new Set<string>()
  /** The item in delivery, and those that arrived meanwhile. */
  readonly #queue: (() => void)[] = []
  #listener: BrokerListener | undefined

  /** Sets the listener. */
  listen(listener: BrokerListener): void {
    this.#listener = listener
  }

  /** Subscribes to a channel. Does nothing if it is subscribed. */
  subscribe(channel: string): void {
    this.#channels.add(channel)
  }

  /** Unsubscribes from a channel. Does nothing if it is not subscribed. */
  unsubscribe(channel: string): void {
    this.#channels.delete(channel)
  }

  /** Delivers a publication, if its channel is subscribed by then. */
  publication(publication: Publication): void {
    this.#deliver(() => this.#channels.has(publication.channel) && this.#listener?.publication(publication))
  }

  /** Delivers a change of members, if the channel is subscribed by then. */
  presence(event: PresenceEvent): void {
    this.#deliver(() => this.#channels.has(event.channel) && this.#listener?.presence(event))
  }

  /** Delivers a broadcast. */
  broadcast(json: string): void {
    this.#deliver(() => this.#listener?.broadcast(json))
  }

  /** Delivers a command. */
  command(command: NodeCommand): void {
    this.#deliver(() => this.#listener?.command(command))
  }

  #deliver(run: () => void): void {
    this.#queue.push(run)
    if (this.#queue.length > 1) return
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      next()
      this.#queue.shift()
    }
  }
}
