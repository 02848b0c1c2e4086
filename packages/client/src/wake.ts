/** Who hears of sleep and waking. */
export interface WakeListener {
  /** The network, the page or the machine is back: whatever waits should be tried now, whatever is open looked at. */
  woke(): void
  /** The browser knows that there is no network. */
  wentOffline(): void
  /** The page is going away, maybe to come back from the browser's cache. */
  left(): void
}

/** Milliseconds between looks at the clock. */
const TICK = 10_000

/** A look that comes this many milliseconds late means sleep; a hidden page's timers are up to a minute late. */
const DRIFT = 80_000

/** Whether the browser knows that there is no network. Always `false` in Node. */
export function isOffline(): boolean {
  return globalThis.navigator?.onLine === false
}

/**
 * Tells when the network comes or goes, the page leaves or is shown again, and the page or the machine woke from sleep.
 * Outside browsers only the last is noticed. Does not keep a process alive.
 * @returns its undo
 */
export function onWake(listener: WakeListener): () => void {
  const woke = () => listener.woke()
  const shown = () => {
    if (globalThis.document?.visibilityState === 'visible') listener.woke()
  }
  const undos = [
    on(globalThis, 'online', woke),
    on(globalThis, 'offline', () => listener.wentOffline()),
    // Not `unload`, which keeps pages out of the browser's cache and is about to go.
    on(globalThis, 'pagehide', () => listener.left()),
    on(globalThis, 'pageshow', woke),
    on(globalThis.document, 'resume', woke),
    on(globalThis.document, 'visibilitychange', shown),
    onDrift(woke),
  ]
  return () => {
    for (const undo of undos) undo()
  }
}

function on(target: Partial<EventTarget> | undefined, event: string, run: () => void): () => void {
  target?.addEventListener?.(event, run)
  return () => target?.removeEventListener?.(event, run)
}

function onDrift(woke: () => void): () => void {
  let last = Date.now()
  const timer: unknown = setInterval(() => {
    const late = Date.now() - last - TICK
    last = Date.now()
    if (late >= DRIFT) woke()
  }, TICK)
  if (typeof timer === 'object') (timer as { unref(): void }).unref()
  return () => clearInterval(timer as number)
}
