import type { BrokerListener, NodeCommand, PresenceEvent, Publication } from './engine.js'

/**
 * The part of a broker of one process that does not depend on what it keeps: which channels are wanted, and who hears.
 * Everything is heard in the order in which it was delivered, also what is delivered while a listener runs.
 */
export class LocalDelivery {
  readonly #channels = new Set<string>()
  /** What is being heard, and what was delivered meanwhile. */
  readonly #queue: (() => void)[] = []
  #listener: BrokerListener | undefined

  /** Sets who hears. */
  listen(listener: BrokerListener): void {
    this.#listener = listener
  }

  subscribe(channel: string): void {
    this.#channels.add(channel)
  }

  unsubscribe(channel: string): void {
    this.#channels.delete(channel)
  }

  /** Delivers a publication, if its channel is wanted by then. */
  publication(publication: Publication): void {
    this.#deliver(() => this.#channels.has(publication.channel) && this.#listener?.publication(publication))
  }

  /** Delivers a change of who is on a channel, if the channel is wanted by then. */
  presence(event: PresenceEvent): void {
    this.#deliver(() => this.#channels.has(event.channel) && this.#listener?.presence(event))
  }

  broadcast(json: string): void {
    this.#deliver(() => this.#listener?.broadcast(json))
  }

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
