/** The garbage collector, and what is left after it, in whichever runtime the tests run. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Collects garbage now. */
export const collectGarbage: () => void = collector()

/** Bytes of JavaScript's objects and of buffers that are in use. */
export function memoryInUse(): number {
  collectGarbage()
  // What the first has found to be of no use, the second has given back.
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function collector(): () => void {
  const { Bun } = globalThis as { Bun?: { gc(waits: boolean): void } }
  if (Bun) return () => Bun.gc(true)
  // Whatever flags the process was started with.
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}
