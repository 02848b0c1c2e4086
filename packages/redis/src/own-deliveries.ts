import type { Timeouts } from '@token-socket/protocol'
import type { Position, Receipt } from '@token-socket/server/engine'

/** Milliseconds for which this node waits for a publication that Redis has accepted. */
const WAIT = 1000

/**
 * Waits until publications of this node on one of its own channels have returned to it. The
 * publisher can then act on sockets of this node, which have received it before.
 */
export class OwnDeliveries {
  readonly #timeouts: Timeouts
  readonly #open = new Map<string, () => void>()
  readonly #place: () => Position | undefined
  #isEnded = false

  /** @param place returns this node's position in the channel's log */
  constructor(timeouts: Timeouts, place: () => Position | undefined) {
    this.#timeouts = timeouts
    this.#place = place
  }

  /**
   * Sends a publication. Resolves when Redis has accepted it, and this node has delivered it or has
   * waited for a second.
   * @param id the id that it is sent with. Redis gives a kept publication another id
   * @throws what `send` throws
   */
  async around(id: string, send: () => Promise<Receipt>): Promise<Receipt> {
    const [delivered, resolve] = this.#expect(id)
    let own = id
    try {
      const receipt = await send()
      if (this.#isDelivered(receipt, id)) return receipt
      this.#open.delete(id)
      own = receipt.id
      this.#open.set(own, resolve)
      this.#timeouts.set(resolve, WAIT)
      await delivered
      this.#timeouts.delete(resolve)
      return receipt
    } finally {
      this.#open.delete(own)
    }
  }

  /** A publication of any node has been delivered. */
  delivered(id: string): void {
    this.#open.get(id)?.()
    this.#open.delete(id)
  }

  /** Stops: nothing is delivered from now on. */
  end(): void {
    this.#isEnded = true
    for (const id of this.#open.keys()) this.delivered(id)
  }

  #expect(id: string): readonly [delivered: Promise<void>, resolve: () => void] {
    let resolve = () => {}
    const delivered = new Promise<void>((done) => {
      resolve = done
    })
    this.#open.set(id, resolve)
    return [delivered, resolve]
  }

  /**
   * A publication that is not kept has another id only if it was published before, by its
   * idempotency key.
   */
  #isDelivered({ id, epoch, offset }: Receipt, sent: string): boolean {
    if (this.#isEnded) return true
    if (epoch === undefined || offset === undefined) return id !== sent || !this.#open.has(sent)
    const place = this.#place()
    return place?.epoch === epoch && place.offset >= offset
  }
}
