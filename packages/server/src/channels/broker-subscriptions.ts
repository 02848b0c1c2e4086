import type { Broker } from '../engine/engine.js'
import { attempt } from '../runtime/attempt.js'

/**
 * This node's subscriptions at the broker, with a count of sockets for each channel. The first
 * socket subscribes, the last one unsubscribes. The steps of one channel run one after the other,
 * however the calls overlap.
 */
export class BrokerSubscriptions {
  readonly #broker: Pick<Broker, 'subscribe' | 'unsubscribe'>
  readonly #counts = new Map<string, number>()
  readonly #steps = new Map<string, Promise<void>>()
  readonly #onerror: (cause: unknown) => void

  /** @param onerror receives failures to unsubscribe, which no caller waits for */
  constructor(broker: Pick<Broker, 'subscribe' | 'unsubscribe'>, onerror: (cause: unknown) => void) {
    this.#broker = broker
    this.#onerror = onerror
  }

  /**
   * Adds one socket. Resolves when publications of the channel arrive. @throws what the broker
   * throws
   */
  async acquire(channel: string): Promise<void> {
    const count = this.#counts.get(channel) ?? 0
    this.#counts.set(channel, count + 1)
    try {
      await (count === 0
        ? this.#step(channel, () => this.#broker.subscribe(channel))
        : this.#steps.get(channel))
    } catch (error) {
      this.#drop(channel)
      throw error
    }
  }

  /** Removes one socket. */
  release(channel: string): void {
    if (this.#drop(channel) > 0) return
    this.#step(channel, async () => {
      if (!this.#counts.has(channel)) await this.#broker.unsubscribe(channel)
    }).catch(this.#onerror)
  }

  #drop(channel: string): number {
    const count = (this.#counts.get(channel) ?? 0) - 1
    if (count > 0) this.#counts.set(channel, count)
    else this.#counts.delete(channel)
    return count
  }

  #step(channel: string, run: () => Promise<void>): Promise<void> {
    const before = this.#steps.get(channel)
    let begin: (begun: Promise<void>) => void = () => {}
    const step = new Promise<void>((resolve) => {
      begin = resolve
    })
    // First, so that a call during the broker's request finds the step.
    this.#steps.set(channel, step)
    begin(before ? before.then(run, run) : attempt(run))
    const done = () => {
      if (this.#steps.get(channel) === step) this.#steps.delete(channel)
    }
    step.then(done, done)
    return step
  }
}
