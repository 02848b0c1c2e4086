/** Waits for real input and output under a real or a fake clock. */

/** Resolves as soon as `isTrue` is. Sleeps not: it looks once each turn of the event loop. */
export async function until(isTrue: () => unknown): Promise<void> {
  while (!isTrue()) await turn()
}

/** Resolves after one turn of the event loop, when every promise that could settle has. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    realSetImmediate(resolve)
  })
}

/** Resolves a millisecond later by the real clock, in which input and output go on. */
export function moment(): Promise<void> {
  return new Promise((resolve) => {
    realSetTimeout(resolve, 1)
  })
}

/** A promise's error. @throws if it resolves */
export async function errorOf(
  promise: Promise<unknown>,
): Promise<{ code?: string; message: string; data?: unknown }> {
  try {
    await promise
  } catch (error) {
    return error as { code?: string; message: string; data?: unknown }
  }
  throw new Error('it was expected to reject')
}

const realSetImmediate = setImmediate
const realSetTimeout = setTimeout
