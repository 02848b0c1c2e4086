/** Called when a store is done. */
export type StoreCallback = (error?: unknown, result?: unknown) => void

/** The used part of a store of express-session. */
export interface SessionStore {
  get(sid: string, callback: (error: unknown, session?: SessionRecord | null) => void): unknown
  set(sid: string, session: SessionRecord, callback?: StoreCallback): unknown
  destroy(sid: string, callback?: StoreCallback): unknown
  /** @default the store cannot extend sessions */
  touch?(sid: string, session: SessionRecord, callback?: StoreCallback): unknown
  /** @default sessions are not regenerated */
  regenerate?(request: never, callback: StoreCallback): unknown
  /** @default the store cannot be cleared */
  clear?(callback?: StoreCallback): unknown
}

/** A session in a store. */
export interface SessionRecord {
  readonly cookie?:
    | {
        readonly expires?: Date | string | null | undefined
        /** Milliseconds. */
        readonly originalMaxAge?: number | null | undefined
      }
    | undefined
}

/** A request that express-session passes to its store. */
export interface SessionRequest {
  readonly sessionID?: string | undefined
  /** The present session: the new one, once the former one is regenerated. */
  readonly session?: unknown
  /** Set by Express. */
  readonly res?: { readonly writableFinished?: boolean; once(event: string, run: () => void): unknown }
}

/**
 * Returns whether an error of a store means that the session does not exist. Stores of files report
 * it like this, and express-session accepts it.
 */
export function isMissing(error: unknown): boolean {
  return (Object(error) as { readonly code?: unknown }).code === 'ENOENT'
}

type MethodName = 'get' | 'set' | 'destroy' | 'touch' | 'regenerate' | 'clear'

/** What runs when a method of the store is done. */
export interface Completion {
  /** The position of the method's callback argument, from 0. */
  readonly callbackAt: number
  /** Runs before the callback. @param error the method's error */
  done(error: unknown, result: unknown): void
}

/** Watches the calls of a method, by their arguments. */
type Watcher = (args: readonly unknown[]) => Completion | undefined

/**
 * Watches the existing methods of a store. Their arguments, results, errors and `this` stay as they
 * are.
 * @returns a function that stops this, also if the methods were wrapped again afterwards
 */
export function watchStore(
  store: SessionStore,
  watchers: Readonly<Partial<Record<MethodName, Watcher>>>,
): () => void {
  const undo = Object.entries(watchers).map(([name, watcher]) =>
    watchMethod(store as unknown as Record<string, unknown>, name, watcher),
  )
  return () => {
    for (const one of undo) one()
  }
}

function watchMethod(store: Record<string, unknown>, name: string, watcher: Watcher): () => void {
  const method = store[name]
  if (typeof method !== 'function') return () => {}
  const isOwn = Object.hasOwn(store, name)
  let isWatching = true
  const watched = function (this: unknown, ...args: unknown[]) {
    const completion = isWatching ? watcher(args) : undefined
    if (!completion) return Reflect.apply(method, this, args)
    if (hasCallback(args, completion)) return Reflect.apply(method, this, withDone(args, completion))
    return settled(Reflect.apply(method, this, args), completion)
  }
  store[name] = watched
  return () => {
    isWatching = false
    // Another library may have wrapped the method.
    if (store[name] !== watched) return
    if (isOwn) store[name] = method
    else delete store[name]
  }
}

function hasCallback(args: readonly unknown[], { callbackAt }: Completion): boolean {
  return typeof args[callbackAt] === 'function'
}

function withDone(args: readonly unknown[], { callbackAt, done }: Completion): readonly unknown[] {
  const callback = args[callbackAt] as (...results: unknown[]) => unknown
  return args.with(callbackAt, function (this: unknown, ...results: unknown[]) {
    done(results[0], results[1])
    return Reflect.apply(callback, this, results)
  })
}

/** Without a callback, stores return a promise, or are done when the method returns. */
function settled(returned: unknown, { done }: Completion): unknown {
  if (typeof (returned as { then?: unknown } | undefined)?.then !== 'function') done(undefined, undefined)
  else
    Promise.resolve(returned).then(
      (result) => done(undefined, result),
      (error) => done(error, undefined),
    )
  return returned
}
