import { decide, type Refusal } from '../claims/vetoes.js'
import { copyData } from '../runtime/data-copy.js'
import type { FailureListener } from '../runtime/failures.js'
import { type ListenerSource, takeListeners } from '../runtime/listeners.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import type { ServerSocket } from '../socket/server-socket.js'

/** The events whose listeners decide. One listener that refuses is enough. */
export type VetoEvent = 'authentication' | 'subscribe' | 'unsubscribe' | 'publish' | 'broadcast'

/** Dependencies of {@link VetoListeners}. */
export interface VetoListenersOwner {
  readonly emitter: ListenerSource<VetoEvent> & { listenerCount(event: VetoEvent): number }
  readonly limits: {
    /** Milliseconds in which a listener has to answer. */
    readonly vetoTimeout: number
  }
  readonly log: Pick<ThrottledLog, 'write'>
  /** Receives what a listener throws. */
  readonly failed: FailureListener
}

/** The event that reports what each veto event asks about, for listeners that decide nothing. */
const NOTICES: Readonly<Record<VetoEvent, string>> = {
  authentication: 'connected',
  subscribe: 'subscribed',
  unsubscribe: 'unsubscribed',
  publish: 'published',
  broadcast: 'published',
}

const LATE = 'a listener did not answer within limits.vetoTimeout: that counts as a no'

/** Asks the application's listeners whether something is allowed. */
export class VetoListeners {
  readonly #owner: VetoListenersOwner

  constructor(owner: VetoListenersOwner) {
    this.#owner = owner
  }

  /** Asks the listeners of an event. Synchronous if there are none. @returns the refusal, if any */
  decide(
    event: VetoEvent,
    socket: ServerSocket,
    data: unknown,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    const { emitter, limits, log, failed } = this.#owner
    // A broadcast reaches channels on which a `publish` listener may refuse.
    const needsYes = event === 'broadcast' && emitter.listenerCount('publish') > 0
    if (!needsYes && emitter.listenerCount(event) === 0) return undefined
    const { sid } = socket
    const listeners = takeListeners(emitter, event)
    return decide(listeners, [socket, data], {
      timeout: limits.vetoTimeout,
      // `socket.auth` belongs to the socket, for all who read it.
      copy: event === 'authentication' ? undefined : copied,
      emptyMeansYes: event === 'authentication',
      needsYes,
      onerror: (cause) => failed(cause, { event, sid }),
      ontimeout: () => log.write(`late ${event}`, ['warn', { event, sid }, LATE]),
      onwrong: (answer) => {
        const returned = answer === null ? 'null' : typeof answer
        log.write(`answer ${event}`, ['warn', { event, sid, returned }, wrongAnswer(event)])
      },
    })
  }
}

/**
 * Copies the details, so that one listener changes neither the request nor what another one sees.
 */
function copied([socket, details]: readonly unknown[]): readonly unknown[] {
  const { data } = details as { readonly data?: unknown }
  const copy = { ...(details as object) }
  if (typeof data !== 'object' || data === null) return [socket, copy]
  try {
    return [socket, { ...copy, data: copyData(data) }]
  } catch {
    // A middleware has replaced the data by something that cannot be copied.
    return [socket, copy]
  }
}

function wrongAnswer(event: VetoEvent): string {
  return (
    `a listener of ${event} returned neither true nor false, and has not called back: only true allows. ` +
    `Return true or false, or call callback(error, allowed); a listener of ${NOTICES[event]} is not asked`
  )
}
