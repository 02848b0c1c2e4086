import { encodeData, limitError, RpcError } from '@token-socket/protocol'
import { checkName } from '../claims/channel-name.js'
import { callIsolated } from '../runtime/isolated.js'

/** The origin of an event of the cluster. */
export interface NodeEventDetails {
  /** The id of the node that emitted it. */
  readonly node: string
}

/** Receives an event that another node's application emitted. Its return value is ignored. */
export type NodeEventListener = {
  listen(data: unknown, details: NodeEventDetails): unknown
}['listen']

/** UTF-16 code units of an event's data as JSON. */
const LENGTH = 1000 * 1024

/** Receives what listeners throw. It does not throw. */
type OnError = (cause: unknown, details: object) => void

/** The listeners of this node's application for events that other nodes' applications emit. */
export class NodeEvents {
  readonly #listeners = new Map<string, readonly NodeEventListener[]>()
  readonly #failed: OnError

  constructor(failed: OnError) {
    this.#failed = failed
  }

  /** Adds a listener. @returns a function that removes it @throws RpcError `bad_message`, `too_long` */
  on(event: string, listener: NodeEventListener): () => void {
    checkName('event', event)
    if (typeof listener !== 'function') {
      const text = 'Invalid message: listener has to be a function'
      throw new RpcError('bad_message', text, { field: 'listener' })
    }
    // A closure for each call, so that each has its own removal, also if the same listener was
    // added twice.
    const entry: NodeEventListener = (...args) => listener(...args)
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), entry])
    return () => this.#remove(event, entry)
  }

  /**
   * Calls the listeners of an event. What a listener throws or rejects becomes an `error` event,
   * and affects nothing else.
   */
  receive(event: string, data: unknown, details: NodeEventDetails): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      callIsolated(
        () => listener(data, details),
        (cause) => this.#failed(cause, { step: 'cluster', event, ...details }),
      )
    }
  }

  #remove(event: string, entry: NodeEventListener): void {
    const left = (this.#listeners.get(event) ?? []).filter((one) => one !== entry)
    if (left.length > 0) this.#listeners.set(event, left)
    else this.#listeners.delete(event)
  }
}

/**
 * Checks an event before it is emitted. @throws RpcError `bad_message`, `too_long`, `too_large`,
 * `unserializable`
 */
export function checkNodeEvent(event: string, data: unknown): void {
  checkName('event', event)
  if (encodeData(data).length > LENGTH) throw limitError('too_large', { field: 'data', limit: LENGTH })
}
