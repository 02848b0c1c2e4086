import { checkListener } from './argument-checks.js'

/**
 * Runs a function of the application. What it throws does not reach the caller, and becomes an
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

/** Listeners whose errors affect neither the library nor each other. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => unknown>()

  /**
   * @returns a function that removes the listener; the same function twice counts as two listeners
   * @throws RpcError `bad_message` for anything but a function, not in builds for production
   */
  add(listener: (value: T) => unknown): () => void {
    checkListener(listener)
    const own = (value: T) => listener(value)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Calls the present listeners. One that is removed meanwhile is not called. */
  emit(value: T): void {
    for (const own of [...this.#listeners]) if (this.#listeners.has(own)) runIsolated(() => own(value))
  }
}
