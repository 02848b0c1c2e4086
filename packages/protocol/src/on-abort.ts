/** What waits for a signal, and the one listener that runs it. */
interface Watch {
  readonly runs: Set<() => void>
  readonly listener: () => void
}

const watches = new WeakMap<AbortSignal, Watch>()

/**
 * Runs something when a signal is aborted, in the order of the calls; at once if it is aborted already. However many wait
 * for one signal, it has one listener of theirs: Node warns of a leak at more than ten.
 * @returns a function that undoes it
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  if (signal.aborted) {
    run()
    return () => {}
  }
  const { runs, listener } = watches.get(signal) ?? watch(signal)
  runs.add(run)
  return () => {
    runs.delete(run)
    if (runs.size > 0) return
    watches.delete(signal)
    signal.removeEventListener('abort', listener)
  }
}

function watch(signal: AbortSignal): Watch {
  const runs = new Set<() => void>()
  const listener = () => {
    for (const run of runs) run()
  }
  const made = { runs, listener }
  watches.set(signal, made)
  signal.addEventListener('abort', listener)
  return made
}
