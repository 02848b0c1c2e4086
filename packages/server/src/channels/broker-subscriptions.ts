import type { Broker } from '../engine/engine.js'
import { attempt } from '../runtime/attempt.js'

/**
 * Which channels this node wants from the broker: subscribed with the first socket, unsubscribed with the last, one
 * step after the other for each channel, however the calls overlap.
 */
export class BrokerSubscriptions {
  readonly #broker: Pick<Broker, 'subscribe' | 'unsubscribe'>
  readonly #counts = new Map<string, number>()
  readonly #steps = new Map<string, Promise<void>>()
  readonly #onerror: (cause: unknown) => void

  /** @param onerror hears when the broker fails to unsubscribe: no one waits for that */
  constructor(broker: Pick<Broker, 'subscribe' | 'unsubscribe'>, onerror: (cause: unknown) => void) {
    this.#broker = broker
    this.#onerror = onerror
  }

  /** One more socket wants the channel; resolves when its publications come. @throws what the broker throws */
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

  /** One socket less wants the channel. */
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
    // First: a call that comes while the broker is asked has to find the step.
    this.#steps.set(channel, step)
    begin(before ? before.then(run, run) : attempt(run))
    const done = () => {
      if (this.#steps.get(channel) === step) this.#steps.delete(channel)
    }
    step.then(done, done)
    return step
  }
}
