import { checkListener } from './argument-checks.js'

/**
 * Runs a function of the application. What it throws reaches no one here, and is seen as an
 * uncaught error.
 */
export function runIsolated(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** Listeners that can harm neither the library nor one another. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => unknown>()

  /**
   * @returns a function that takes the listener away; the same one twice is two listeners
   * @throws RpcError `bad_message` for what is no function, not in builds for production
   */
  add(listener: (value: T) => unknown): () => void {
    checkListener(listener)
    const own = (value: T) => listener(value)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Calls those that are there now. One that is taken away meanwhile is not called. */
  emit(value: T): void {
    for (const own of [...this.#listeners]) if (this.#listeners.has(own)) runIsolated(() => own(value))
  }
}
