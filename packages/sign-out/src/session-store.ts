/** Calls back when a store has done something. */
export type StoreCallback = (error?: unknown, result?: unknown) => void

/** A store of express-session: what is used of it. */
export interface SessionStore {
  get(sid: string, callback: (error: unknown, session?: SessionRecord | null) => void): unknown
  set(sid: string, session: SessionRecord, callback?: StoreCallback): unknown
  destroy(sid: string, callback?: StoreCallback): unknown
  /** @default the store cannot lengthen a session's life */
  touch?(sid: string, session: SessionRecord, callback?: StoreCallback): unknown
  /** @default sessions are not made anew */
  regenerate?(request: never, callback: StoreCallback): unknown
  /** @default the store cannot be emptied */
  clear?(callback?: StoreCallback): unknown
}

/** A session as a store has it. */
export interface SessionRecord {
  readonly cookie?: { readonly expires?: Date | string | null | undefined } | undefined
}

/** A request, as express-session gives it to its store. */
export interface SessionRequest {
  readonly sessionID?: string | undefined
  /** Set by Express. */
  readonly res?: { readonly writableFinished?: boolean; once(event: string, run: () => void): unknown }
}

type MethodName = 'get' | 'set' | 'destroy' | 'touch' | 'regenerate' | 'clear'

/** What watches a method: may change the arguments that the method gets. */
type Watcher = (args: readonly unknown[]) => readonly unknown[]

/**
 * Puts a watcher before methods of a store, those that it has. The store's own results, errors and
 * `this` stay as they are.
 * @returns a function that undoes it, whatever was put around the methods after it
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
    return Reflect.apply(method, this, isWatching ? watcher(args) : args)
  }
  store[name] = watched
  return () => {
    isWatching = false
    // Others may have put theirs around it.
    if (store[name] !== watched) return
    if (isOwn) store[name] = method
    else delete store[name]
  }
}

/** The arguments of a method, with something done before its callback, which may be left out. */
export function before(
  args: readonly unknown[],
  index: number,
  run: (error: unknown, result: unknown) => void,
): readonly unknown[] {
  const callback = args[index]
  const changed = [...args]
  while (changed.length < index) changed.push(undefined)
  changed[index] = function (this: unknown, ...results: unknown[]) {
    run(results[0], results[1])
    if (typeof callback === 'function') Reflect.apply(callback, this, results)
  }
  return changed
}
