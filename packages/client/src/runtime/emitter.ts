import { EventEmitter } from 'eventemitter3'
import { runIsolated } from './callback.js'

/** A listener as EventEmitter3 keeps it: a single one as it is, several in a list. */
interface Kept {
  readonly fn: (...args: unknown[]) => void
  readonly context: unknown
  readonly once: boolean
}

/** Where EventEmitter3 keeps them, by event. */
interface Keeper {
  readonly _events: { readonly [event: PropertyKey]: Kept | readonly Kept[] | undefined }
}

/**
 * Emits events to listeners whose errors reach neither the library nor other listeners. `this` in a
 * listener is the emitter, or the third argument of `on`.
 */
export class Emitter<Events extends EventEmitter.ValidEventTypes> extends EventEmitter<Events> {
  /**
   * Tells Vue the same as `markRaw`: a proxy around the object could not access its private fields.
   * @internal
   */
  get __v_skip(): boolean {
    return true
  }

  /**
   * Calls each listener that is registered now. An error of a listener is thrown again, uncaught,
   * after all were called. The list is copied once: the cost of an event grows with its listeners,
   * not with their square.
   */
  override emit<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    ...args: EventEmitter.EventArgs<Events, Name>
  ): boolean {
    const found: Kept | readonly Kept[] | undefined = (this as unknown as Keeper)._events[event]
    if (!found) return false
    // A copy: listeners that are added meanwhile are not called.
    for (const { fn, context, once } of ([] as Kept[]).concat(found)) {
      if (once) this.removeListener(event, fn as never, undefined, true)
      runIsolated(() => fn.apply(context, args))
    }
    return true
  }
}
