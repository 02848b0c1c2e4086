import { startTimeout } from '@token-socket/protocol'

/** What is notified of sleep and waking. */
export interface WakeListener {
  /** The network, the page or the machine is back: whatever waits should be tried now, whatever is open looked at. */
  woke(): void
  /** The browser says that there is no network. */
  wentOffline(): void
  /** The page is going away, maybe to come back from the browser's cache. */
  left(): void
}

/** Milliseconds between looks at the clock. */
const TICK = 10_000

/** A look that comes this many milliseconds late means sleep; a hidden page's timers are up to a minute late. */
const DRIFT = 80_000

/** Whether the browser says that there is no network, which may be wrong. Always `false` in Node. */
export function isOffline(): boolean {
  return globalThis.navigator?.onLine === false
}

/**
 * Tells when the network comes or goes, the page leaves or is shown again, and the page or the machine woke from sleep.
 * Outside browsers only the last is noticed. Does not keep a process alive.
 * @returns a function that undoes it
 */
export function onWake({ woke, wentOffline, left }: WakeListener): () => void {
  const { document } = globalThis
  const undos: (() => void)[] = []
  const on = (target: Partial<EventTarget> | undefined, event: string, run: () => void) => {
    target?.addEventListener?.(event, run)
    undos.push(() => target?.removeEventListener?.(event, run))
  }
  on(globalThis, 'online', woke)
  on(globalThis, 'offline', wentOffline)
  // Not `unload`, which keeps pages out of the browser's cache and is about to go.
  on(globalThis, 'pagehide', left)
  on(globalThis, 'pageshow', woke)
  on(document, 'resume', woke)
  on(document, 'visibilitychange', () => document.visibilityState === 'visible' && woke())
  undos.push(onDrift(woke))
  return () => {
    for (const undo of undos) undo()
  }
}

/** Looks at the clock again and again: who comes late has slept. */
function onDrift(woke: () => void): () => void {
  let undo: () => void
  const look = () => {
    const start = Date.now()
    undo = startTimeout(TICK, () => {
      look()
      if (Date.now() - start >= TICK + DRIFT) woke()
    })
  }
  look()
  return () => undo()
}
