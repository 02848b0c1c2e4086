import { callIsolated } from './isolated.js'

/** A function that listens to an event. */
export type Listener = { listener(...args: unknown[]): unknown }['listener']

/** The part of an emitter that {@link takeListeners} reads. */
export interface ListenerSource<Event extends string> {
  /** The fourth argument: only if it was added by `once`. */
  removeListener(event: Event, listener: Listener, context: undefined, once: true): unknown
}

/** A listener as EventEmitter3 keeps it: a single one as it is, several in a list. */
interface Kept {
  readonly fn: Listener
  /** What `on` was given, or the emitter. */
  readonly context: unknown
}

/** Where EventEmitter3 keeps them, by event. `listeners()` gives them without what they are called on. */
interface Keeper {
  readonly _events: { readonly [event: string]: Kept | readonly Kept[] | undefined }
}

/** The listeners of an event, each bound to its context. Those that were added by `once` are taken away, as `emit` does. */
export function takeListeners<Event extends string>(
  emitter: ListenerSource<Event>,
  event: Event,
): Listener[] {
  const kept = [(emitter as unknown as Keeper)._events[event] ?? []].flat()
  for (const { fn } of kept) emitter.removeListener(event, fn, undefined, true)
  return kept.map(({ fn, context }) => fn.bind(context))
}

/**
 * Calls the listeners of an event that asks nothing. One that throws keeps neither the others nor the caller.
 * @param failed receives what a listener throws, or rejects with
 */
export function notifyListeners(
  listeners: readonly Listener[],
  args: readonly unknown[],
  failed: (cause: unknown) => void,
): void {
  for (const listener of listeners) callIsolated(() => listener(...args), failed)
}
