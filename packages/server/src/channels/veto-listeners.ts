import type { RemoteClient } from '../remote-client.js'
import type { FailureListener } from '../runtime/failures.js'
import { type ListenerSource, takeListeners } from '../runtime/listeners.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { decide, type Refusal } from '../vetoes.js'

/** The events that ask listeners: one that refuses is enough. */
export type VetoEvent = 'authentication' | 'subscribe' | 'unsubscribe' | 'publish' | 'broadcast'

/** Dependencies of {@link VetoListeners}. */
export interface VetoListenersOwner {
  readonly emitter: ListenerSource<VetoEvent> & { listenerCount(event: VetoEvent): number }
  /** Milliseconds that a listener may take. */
  readonly timeout: number
  readonly log: Pick<ThrottledLog, 'write'>
  /** Receives what a listener throws. */
  readonly failed: FailureListener
}

const LATE = 'a listener did not answer within limits.vetoTimeout: that counts as a no'

/** Asks the application's listeners whether something is allowed. */
export class VetoListeners {
  readonly #owner: VetoListenersOwner

  constructor(owner: VetoListenersOwner) {
    this.#owner = owner
  }

  /** Asks the listeners of an event. @returns why not */
  async decide(event: VetoEvent, socket: RemoteClient, data: unknown): Promise<Refusal | undefined> {
    const { emitter, timeout, log, failed } = this.#owner
    return decide(takeListeners(emitter, event), [socket, data], {
      timeout,
      emptyMeansYes: event === 'authentication',
      // A broadcast reaches the channels on which a `publish` listener says no.
      needsYes: event === 'broadcast' && emitter.listenerCount('publish') > 0,
      onerror: (cause) => failed(cause, { event, sid: socket.sid }),
      ontimeout: () => log.write(`late ${event}`, ['warn', { event, sid: socket.sid }, LATE]),
    })
  }
}
