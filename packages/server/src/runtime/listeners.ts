import { callIsolated } from './isolated.js'

/** A function that listens to an event. */
export type Listener = { listener(...args: unknown[]): unknown }['listener']

/** The part of an emitter that {@link takeListeners} reads. */
export interface ListenerSource<Event extends string> {
  listeners(event: Event): Listener[]
  /** The fourth argument: only if it was added by `once`. */
  removeListener(event: Event, listener: Listener, context: undefined, once: true): unknown
}

/** The listeners of an event, each bound to its emitter. Those that were added by `once` are taken away, as `emit` does. */
export function takeListeners<Event extends string>(
  emitter: ListenerSource<Event>,
  event: Event,
): Listener[] {
  const listeners = emitter.listeners(event)
  for (const listener of listeners) emitter.removeListener(event, listener, undefined, true)
  return listeners.map((listener) => listener.bind(emitter))
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
