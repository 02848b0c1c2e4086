/**
 * Abort signals in what every platform has: `aborted`, `addEventListener` and `removeEventListener`. React Native up to
 * 0.86, jsdom and pages with zone.js lack, or break, `reason`, `throwIfAborted` and the `signal` of listeners' options.
 */
import { RpcError } from './errors.js'

/** What waits for a signal, and the one listener that runs it. */
interface Watch {
  readonly runs: Set<() => void>
  readonly listener: () => void
}

const watches = new WeakMap<AbortSignal, Watch>()

/** Why a signal was aborted; RpcError `aborted` where the platform does not know. */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? new RpcError('aborted')
}

/** @throws the reason, if the signal is aborted */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortReason(signal)
}

/**
 * Runs something when a signal is aborted, in the order of the calls; at once if it is aborted already. However many wait
 * for one signal, it has one listener of theirs: Node warns of a leak at more than ten.
 * @returns a function that undoes it
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  if (signal.aborted) run()
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
