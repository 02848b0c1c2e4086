/**
 * Calls a function that should return a promise. What it throws becomes a rejection, so that the caller has one path for
 * failures. Engines, which applications write too, are called with it wherever a throw would leave a state half made.
 */
export function attempt<T>(run: () => Promise<T>): Promise<T> {
  try {
    return Promise.resolve(run())
  } catch (cause) {
    return Promise.reject(cause)
  }
}
