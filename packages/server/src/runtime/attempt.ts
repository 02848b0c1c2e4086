/**
 * Calls a function that should return a promise. A throw becomes a rejection, so that the caller
 * handles failures in one way. Used for engines, which applications write too, wherever a throw
 * would leave a half-changed state.
 */
export function attempt<T>(run: () => Promise<T>): Promise<T> {
  try {
    return Promise.resolve(run())
  } catch (cause) {
    return Promise.reject(cause)
  }
}
