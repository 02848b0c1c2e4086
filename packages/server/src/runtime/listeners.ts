import { callIsolated } from './isolated.js'

/** A function that listens to an event. */
export type Listener = { listener(...args: unknown[]): unknown }['listener']

/** The part of an emitter that {@link takeListeners} reads. */
export interface ListenerSource<Event extends string> {
  /** With the fourth argument, removes only a listener that was added by `once`. */
  removeListener(event: Event, listener: Listener, context: undefined, once: true): unknown
}

/** A listener in EventEmitter3's form: a single one, or a list. */
interface Kept {
  readonly fn: Listener
  /** The context that `on` was given, or the emitter. */
  readonly context: unknown
}

/** EventEmitter3's table of listeners. `listeners()` returns them without their contexts. */
interface Keeper {
  readonly _events: { readonly [event: string]: Kept | readonly Kept[] | undefined }
}

/**
 * Returns the listeners of an event, each bound to its context. Those added by `once` are removed,
 * as by `emit`.
 */
export function takeListeners<Event extends string>(
  emitter: ListenerSource<Event>,
  event: Event,
): Listener[] {
  const kept = [(emitter as unknown as Keeper)._events[event] ?? []].flat()
  for (const { fn } of kept) emitter.removeListener(event, fn, undefined, true)
  return kept.map(({ fn, context }) => fn.bind(context))
}

/**
 * Calls the listeners of an event without an answer. An error of one affects neither the other
 * listeners nor the caller.
 * @param failed receives the error that a listener throws or rejects with
 */
export function notifyListeners(
  listeners: readonly Listener[],
  args: readonly unknown[],
  failed: (cause: unknown) => void,
): void {
  for (const listener of listeners) callIsolated(() => listener(...args), failed)
}
