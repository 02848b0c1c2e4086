import { runIsolated } from '../runtime/callback.js'
import { badArgument, checkFunction } from '../settings/bad-argument.js'
import type { PublicationDetails } from './publications.js'

/** Hears the messages of an event. */
export type Handler<Data = unknown> = (message: PublicationDetails<Data>) => void

/** A handler that is bound to an event, or to all events whose names an expression matches. */
export interface Binding<Place = undefined> {
  /** The channel whose messages it hears; `undefined` for those of any channel. */
  readonly channel: Place
  readonly event: string | RegExp
  /** Takes this handler away, and no other. Harmless the second time. */
  unbind(): void
}

/**
 * Handlers by event. Each message reaches each handler bound at that time once, in the order of binding; one that is
 * unbound meanwhile hears nothing further. What a handler throws is thrown again on its own. A message without an event has the
 * empty name.
 */
export class Bindings<Place> {
  readonly #handlers = new Map<Binding<Place>, Handler>()
  readonly #place: Place
  readonly #emptied: () => void

  /** @param emptied is called when the last handler is taken away */
  constructor(place: Place, emptied: () => void = () => {}) {
    this.#place = place
    this.#emptied = emptied
  }

  /** How many handlers there are. */
  get size(): number {
    return this.#handlers.size
  }

  /** Binds a handler. The same one twice is two bindings. @throws RpcError `bad_message` for an argument of a wrong type */
  add(event: string | RegExp, handler: Handler): Binding<Place> {
    if (typeof event !== 'string' && !isExpression(event)) throw badArgument('event', 'event')
    checkFunction('handler', handler)
    const binding = { channel: this.#place, event, unbind: () => this.#remove(binding) }
    this.#handlers.set(binding, handler)
    return binding
  }

  /** Takes away all handlers of an event (of any, if it is left out), or one of them. */
  remove(event?: string | RegExp, handler?: Handler): void {
    for (const [binding, bound] of this.#handlers) {
      const isMeant = event === undefined || isSame(event, binding.event)
      if (isMeant && (handler ?? bound) === bound) binding.unbind()
    }
  }

  /** Forgets all handlers and tells no one. */
  clear(): void {
    this.#handlers.clear()
  }

  /** Calls the handlers of a message's event. */
  deliver(message: PublicationDetails): void {
    const { event = '' } = message
    for (const [binding, handler] of [...this.#handlers]) {
      if (this.#handlers.has(binding) && matches(binding.event, event)) runIsolated(() => handler(message))
    }
  }

  #remove(binding: Binding<Place>): void {
    if (this.#handlers.delete(binding) && this.size === 0) this.#emptied()
  }
}

/** A RegExp of another frame is one, too. */
function isExpression(event: unknown): boolean {
  return typeof (event as { readonly exec?: unknown } | null | undefined)?.exec === 'function'
}

/** `search` takes no notice of the place that an expression with the flag `g` remembers. */
function matches(event: string | RegExp, name: string): boolean {
  return typeof event === 'string' ? event === name : name.search(event) >= 0
}

/** Two expressions are the same if they are written the same. */
function isSame(one: string | RegExp, other: string | RegExp): boolean {
  return typeof one === typeof other && String(one) === String(other)
}
