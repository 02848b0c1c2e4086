import { startTimeout } from '@token-socket/protocol'

/** Receives changes of the network, the page and the machine. */
export interface WakeListener {
  /** The network, the page or the machine is back: reconnect now, and check open connections. */
  woke(): void
  /** The browser reports that it is offline. */
  wentOffline(): void
  /** The page is left, and may return from the browser's cache. */
  left(): void
}

/** Milliseconds between checks of the clock. */
const TICK = 10_000

/**
 * A check that is this many milliseconds late means that the machine slept. Timers of a hidden page
 * are up to a minute late.
 */
const DRIFT = 80_000

/** Whether the browser reports that it is offline, which may be wrong. Always `false` in Node. */
export function isOffline(): boolean {
  return globalThis.navigator?.onLine === false
}

/**
 * Calls the listener when the network changes, when the page is left or shown again, and when the
 * page or the machine wakes from sleep. Outside browsers it notices sleep only. Does not keep a
 * process alive.
 * @returns a function that removes the listener
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
  // Not `unload`: it keeps pages out of the browser's cache, and is deprecated.
  on(globalThis, 'pagehide', left)
  on(globalThis, 'pageshow', woke)
  on(document, 'resume', woke)
  on(document, 'visibilitychange', () => document.visibilityState === 'visible' && woke())
  undos.push(onDrift(woke))
  return () => {
    for (const undo of undos) undo()
  }
}

/** Checks the clock at intervals: a late check means that the machine slept. */
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
