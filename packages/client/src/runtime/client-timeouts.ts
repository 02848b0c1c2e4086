import { isNever, startTimeout, type Timeouts } from '@token-socket/protocol'

/**
 * A timer for each time-out. A client has few at once; the server's single timer for many would be
 * more code.
 */
export class ClientTimeouts implements Timeouts {
  readonly #undos = new Map<() => void, () => void>()

  set(expire: () => void, wait: number): void {
    this.delete(expire)
    if (!isNever(wait)) this.#undos.set(expire, startTimeout(wait, expire))
  }

  delete(expire: () => void): void {
    this.#undos.get(expire)?.()
    this.#undos.delete(expire)
  }

  disarmIfEmpty(): void {}
}
