// What a generated input did that none may do.

/** Stops the run: the library has broken a promise. */
export class Breach extends Error {
  /** @param input the text, or several of which one did it */
  constructor(why, input) {
    super(why)
    this.input = input
  }
}

/** The shortest text, by leaving parts out, that still fails. */
export function shrink(text, fails) {
  let shortest = text
  for (let size = Math.ceil(shortest.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < shortest.length; ) {
      const candidate = shortest.slice(0, at) + shortest.slice(at + size)
      if (fails(candidate)) shortest = candidate
      else at += size
    }
  }
  return shortest
}

/** Waits until a test holds. @throws Breach if it does not in time */
export async function until(test, why, ms = 15_000) {
  for (const end = performance.now() + ms; !test(); ) {
    if (performance.now() > end) throw new Breach(typeof why === 'function' ? why() : why)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
