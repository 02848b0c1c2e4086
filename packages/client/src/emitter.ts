import { EventEmitter } from 'eventemitter3'
import { guard } from './callback.js'

/** Emits events to listeners that can harm neither the library nor one another. `this` in a listener is the emitter. */
export class Emitter<Events extends EventEmitter.ValidEventTypes> extends EventEmitter<Events> {
  /** Calls each listener. What one throws is thrown again as an uncaught error, after all have been called. */
  override emit<Name extends EventEmitter.EventNames<Events>>(
    event: Name,
    ...args: EventEmitter.EventArgs<Events, Name>
  ): boolean {
    const listeners = this.listeners(event)
    for (const listener of listeners) {
      // The fourth argument: only if it was added by `once`.
      this.removeListener(event, listener, undefined, true)
      guard(() => Reflect.apply(listener, this, args))
    }
    return listeners.length > 0
  }
}
