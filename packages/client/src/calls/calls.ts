import {
  type AnswerMessage,
  type CallOptions,
  type CancelReason,
  type ClientMessage,
  decodeError,
  encodeClientMessage,
  encodeError,
  type InvokeMessage,
  notificationError,
  type Outcome,
  type RpcError,
  type RpcListener,
  RpcPeer,
  type WithdrawMessage,
} from '@token-socket/protocol'
import { advisedAction } from '#advice'
import type { MessageConnection } from '../connection/message-connection.js'
import { ClientTimeouts } from '../runtime/client-timeouts.js'
import { checkedName } from '../settings/bad-argument.js'
import { CallQueue, type QueuedCall } from './call-queue.js'
import type { ClientAction } from './client-controller.js'
import { RefusedCalls } from './refused-calls.js'

/** Dependencies of {@link Calls}. */
export interface CallsOwner {
  /** Returns the function that a call of the server runs. */
  findAction(name: string): ClientAction | undefined
  /** The server refused a request whose caller does not wait any longer. */
  failed(error: RpcError): void
  /** An action threw. @param name the action's */
  threw(cause: unknown, name: string | undefined): void
  /** Its `status.error` says why there is no connection, if the last attempt has failed. */
  readonly connector: { readonly status: { readonly error?: RpcError | undefined } }
}

/** Limits on calls; see the options of the same names. */
export interface CallsLimits {
  readonly callTimeout: number
  readonly queueSize: number
  /** Whether a call that a rate limit refuses waits, and is sent once more. @default false */
  readonly retryRateLimited?: boolean
  readonly limits: { readonly callsOut: number; readonly callsIn: number }
}

/** A request without its id. */
type Request = (id: string) => ClientMessage

/** The requests that the legacy server answers only if it refuses them. */
const ONE_WAY = /^_(publish|broadcast)$/

/** Queued calls that may run at once: fewer than the `callsIn` that a server has by default. */
const QUEUED_AT_ONCE = 500

/**
 * The calls in both directions. Our calls are sent at once on an open connection. They wait in a
 * bounded queue while there is none, or while earlier calls wait. Each settles exactly once. The
 * server's calls are answered on the connection on which they arrived, or never.
 */
export class Calls implements RpcListener {
  readonly #owner: CallsOwner
  readonly #peer: RpcPeer
  readonly #queue: CallQueue
  readonly #refused: RefusedCalls | undefined
  readonly #most: number
  /** How many calls from the queue wait for their answers. */
  #queuedOut = 0
  #link: MessageConnection | undefined
  /** Whether new calls are sent before those that wait in the queue. */
  #isFirst = false
  /** Whether the call that is about to be sent has no answer. */
  #isOneWay = false
  #final: RpcError | undefined

  constructor({ callTimeout: timeout, queueSize, limits, retryRateLimited }: CallsLimits, owner: CallsOwner) {
    this.#owner = owner
    this.#most = Math.min(limits.callsOut, QUEUED_AT_ONCE)
    // Calls in the queue have a limit of their own.
    const most = () =>
      this.#open && !this.#isOneWay ? limits.callsOut + this.#queue.size : Number.POSITIVE_INFINITY
    const bounds = {
      ...limits,
      timeout,
      get callsOut() {
        return most()
      },
    }
    this.#peer = new RpcPeer(bounds, this, new ClientTimeouts())
    const isPending = (id: string) => this.#peer.isPending(id)
    this.#queue = new CallQueue(queueSize, isPending)
    if (retryRateLimited) this.#refused = new RefusedCalls(isPending, () => this.#sendQueued())
  }

  /**
   * Makes a call, and promises its answer. The message is encoded now, so that later changes of its
   * data have no effect. The legacy server never answers a publication or a broadcast: their
   * promises resolve when they are sent.
   */
  request(make: Request, options?: CallOptions, name?: string): Promise<unknown> {
    if (this.#final) return Promise.reject(this.#final)
    let waiting: QueuedCall | undefined
    let last = ''
    const over = () => {
      this.#refused?.sent.delete(last)
      if (waiting?.isSent) this.#queuedOut -= 1
      this.#sendQueued()
    }
    const answer = this.#peer.request(
      (id) => {
        const message = make(id)
        last = id
        const call = { text: encodeClientMessage(message), message }
        if (message.id) this.#refused?.sent.set(id, call)
        if (this.#open) return this.#send(this.#open, id, call)
        this.#queue.add(id, call)
        waiting = call
      },
      options,
      name,
    )
    if (waiting || this.#refused) answer.then(over, over)
    return answer
  }

  /**
   * Notifies the server. Resolves when the notification is sent. Until then it waits, and fails, as
   * calls do.
   */
  notify(name: string, data: unknown): Promise<unknown> {
    this.#isOneWay = true
    const sent = this.request(() => ({ type: 'call', name: checkedName('name', name), data }), {}, name)
    this.#isOneWay = false
    return sent
  }

  /** Makes a call on this connection now, before those that wait. */
  requestOn(link: MessageConnection, make: Request, options?: CallOptions): Promise<unknown> {
    return this.#peer.request((id) => link.send(make(id)), options)
  }

  /** The connection that calls are sent on. */
  get link(): MessageConnection | undefined {
    return this.#link
  }

  /**
   * Sends the waiting calls, oldest first, and further ones as answers arrive.
   * @param isFirst whether they keep waiting, and new calls are sent before them
   */
  resume(link: MessageConnection | undefined, isFirst = false): void {
    this.#link = link
    this.#isFirst = isFirst
    this.#sendQueued()
  }

  /** The connection is lost: calls that were sent fail, and those that wait keep waiting. */
  suspend(error: RpcError): void {
    this.#link = undefined
    this.#peer.disconnect(error, (id) => !this.#waits(id))
  }

  /**
   * The socket has ended: all calls fail. @param unsent the error of calls that were not sent, and
   * of every later one
   */
  close(error: RpcError, unsent: RpcError): void {
    this.#final = unsent
    this.suspend(error)
    this.#queue.clear()
    this.#refused?.queue.clear()
    this.suspend(unsent)
  }

  /** An answer arrived. */
  answered({ id, rpc, outcome }: AnswerMessage, link: MessageConnection): void {
    if ('error' in outcome && !this.#peer.isPending(id)) {
      // The call stood for a notification: only their ids begin with a letter.
      if (id[0] === 'n') this.#owner.failed(decodeError(notificationError(outcome, rpc)))
      else if (link.isLegacy && ONE_WAY.test(rpc)) this.#owner.failed(decodeError(outcome))
    }
    if (!this.#refused?.refused(id, outcome)) this.#peer.settle(id, outcome)
  }

  /** The server calls one of our actions, or notifies us. */
  invoked({ id, name, data, timeout }: InvokeMessage, link: MessageConnection): void {
    this.#peer.receive({
      id,
      action: advisedAction?.(this.#owner, name) ?? this.#owner.findAction(name),
      name,
      timeout,
      before: [data],
      answer: (outcome) => {
        // Until the server has answered the token, it counts as a legacy server.
        const own = link === this.#link && link.isLegacy ? plain(outcome) : outcome
        if (id) link.send({ type: 'result', id, outcome: own }, { name })
        else if ('error' in outcome)
          link.send({ type: 'result', outcome: notificationError(outcome, name) }, { name })
      },
    })
  }

  /** The server has cancelled a call of one of our actions. */
  withdrawn({ id, reason }: WithdrawMessage): void {
    this.#peer.cancel(id, reason)
  }

  threw(cause: unknown, name: string | undefined): void {
    this.#owner.threw(cause, name)
  }

  /** A call that waits was never sent: the last failure to connect is the cause. */
  unsentCause(id: string): unknown {
    return this.#queue.has(id) ? this.#owner.connector.status.error : undefined
  }

  /** Cancels a request on a server that supports it. A request in the queue was never sent. */
  cancel(id: string, reason: CancelReason): void {
    if (this.#link?.session?.can?.includes('cancel') && !this.#waits(id))
      this.#link.send({ type: 'cancel', id, reason })
  }

  /** The connection on which a call is sent at once. */
  get #open(): MessageConnection | undefined {
    return this.#isFirst || !(this.#queue.size || this.#refused?.queue.size) ? this.#link : undefined
  }

  /** Whether a call still has to be sent: the server has not carried it out. */
  #waits(id: string): boolean {
    return this.#queue.has(id) || !!this.#refused?.queue.has(id)
  }

  #sendQueued(): void {
    const refused = this.#link && !this.#isFirst && this.#refused?.takeDue()
    if (refused) this.#send(this.#link as MessageConnection, ...refused)
    if (this.#refused?.queue.size) return
    while (this.#link && !this.#isFirst && this.#queuedOut < this.#most) {
      const next = this.#queue.takeNext()
      if (!next) return
      next[1].isSent = true
      this.#queuedOut += 1
      this.#send(this.#link, ...next)
    }
  }

  /** Sends a call, or rejects it: only a connection shows what its server supports. */
  #send(link: MessageConnection, id: string, { text, message }: QueuedCall): void {
    const isNotification = !message.id
    // A server without notifications gets a call, and its answer is dropped.
    const isCall = isNotification && !link.session?.can?.includes('notify')
    try {
      link.sendText(isCall ? `${text.slice(0, -1)},"uuid":"n${id}"}` : text, message)
    } catch (error) {
      return this.#peer.settle(id, encodeError(error))
    }
    if (isNotification || (link.isLegacy && ONE_WAY.test(`_${message.type}`)))
      this.#peer.settle(id, { data: undefined })
  }
}

/** As the legacy client answered: of an error that has a message, only the message. */
function plain(outcome: Outcome): Outcome {
  const { error } = outcome as { readonly error?: unknown }
  const { message } = Object(error) as { readonly message?: unknown }
  return message ? { ...outcome, error: message } : outcome
}
