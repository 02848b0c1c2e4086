import {
  type Action,
  type AnswerMessage,
  badField,
  type CallMessage,
  type CancelMessage,
  type ClientMessage,
  type CloseReason,
  decodeClientMessage,
  ERRORS,
  encodeError,
  FrameError,
  forCaller,
  KEEPS_UNDEFINED,
  NAME_LIMITS,
  notificationError,
  type Outcome,
  type PingMessage,
  type PlainError,
  plainRefusal,
  type RefreshMessage,
  type ResultMessage,
  RpcError,
  type RpcLimits,
  RpcPeer,
  wireError,
  withSubject,
} from '@token-socket/protocol'
import type { Development } from '../development/development.js'
import type { Wire } from './buffered-connection.js'
import { CallSupervisor, type CallSupervisorOwner, type SupervisedSocket } from './call-supervisor.js'
import { isTimeout, timeoutOutcome } from './call-timeout.js'
import { type CalledSocket, ClientActions, type ClientActionsOwner } from './client-actions.js'
import { KeyedQueue } from './keyed-queue.js'
import { type CountedSocket, MessageCounter, type MessageCounterOwner } from './message-counter.js'
import type { ChannelAnswer, PendingMessage, PendingRequest, SessionMiddleware } from './pending-requests.js'
import { pong } from './pong.js'
import { MINUTE, Rate } from './rate.js'
import type { PendingRefresh, RefreshedSocket } from './refreshed-socket.js'

/** How a message ends for which the application has no listener. */
const NO_LISTENER = plainRefusal('unsupported', { field: 'send' })
const UNHEARD: Outcome = encodeError(NO_LISTENER)

/** The queue of a client's messages. No channel has this name: it is longer than a name may be. */
const MESSAGES = 'messages'.padEnd(NAME_LIMITS.channel + 1, '.')

/** A message that is answered, or a notification, of which only the failure is. */
type Request = Exclude<ClientMessage, { type: 'result' | 'cancel' }>

/** Dependencies of a {@link SocketSession} that all sockets of a server share. */
export interface SessionOwner extends CallSupervisorOwner, ClientActionsOwner, MessageCounterOwner {
  /** Takes new tokens. @default they are answered `unsupported` */
  readonly refreshes?: { run(socket: RefreshedSocket, refresh: PendingRefresh): Promise<void> }
  readonly limits: RpcLimits &
    CallSupervisorOwner['limits'] &
    MessageCounterOwner['limits'] & {
      readonly wrongMessages: number
      readonly callBytes: number
    }
  /** The function that a client's call names. */
  findAction(name: string): Action | undefined
  /** What runs around the functions of calls. @default nothing */
  readonly middleware?: SessionMiddleware
  /** Checks that only development servers make. @default none */
  readonly development?: Pick<Development, 'checkData' | 'nearestAction'> | undefined
}

/** The socket of a {@link SocketSession}. */
export interface SessionSocket extends SupervisedSocket, CalledSocket, RefreshedSocket, CountedSocket {
  readonly auth: unknown
  /** How its messages are written. @default in the library's wire */
  readonly wire?: Wire | undefined
  closeFor(why: CloseReason): void
  requestChannel(request: PendingRequest): Promise<ChannelAnswer>
  /** A message of the client that belongs to no channel and no call. @returns whether listeners have it */
  receiveDirect(data: unknown): boolean
}

/** The receiving half of a socket: takes its client's messages, and answers each request exactly once. */
export class SocketSession {
  /** Messages that have come from the client. */
  received = 0
  readonly #socket: SessionSocket
  readonly #owner: SessionOwner
  readonly #peer: RpcPeer
  readonly #supervisor: CallSupervisor
  /** Created with the first request about a channel. */
  #queue: KeyedQueue | undefined
  readonly #counter: MessageCounter
  #wrong: Rate | undefined
  /** Made when something is called: most clients have no actions. */
  #actions: ClientActions | undefined

  constructor(socket: SessionSocket, owner: SessionOwner) {
    this.#socket = socket
    this.#owner = owner
    this.#counter = new MessageCounter(socket, owner)
    this.#supervisor = new CallSupervisor(socket, owner)
    this.#peer = new RpcPeer(owner.limits, this.#supervisor, owner.timeouts)
  }

  /** What holds the requests of both ends. */
  get peer(): RpcPeer {
    return this.#peer
  }

  get #inOrder(): KeyedQueue {
    this.#queue ??= new KeyedQueue()
    return this.#queue
  }

  /** What the server calls on the client. */
  get actions(): ClientActions {
    this.#actions ??= new ClientActions(this.#socket, this.#owner, this.#peer)
    return this.#actions
  }

  /** Runs a task after the earlier ones about the same channel. */
  inOrder<T>(channel: string, task: () => Promise<T>): Promise<T> {
    return this.#inOrder.run(channel, task)
  }

  /** A message came. It is counted before it is decoded. */
  receive(text: unknown): void {
    this.received += 1
    const refusal = this.#counter.take()
    if (refusal === 'closed') return
    try {
      const { wire, capabilities } = this.#socket
      const message = wire ? wire.decode(text) : decodeClientMessage(text, capabilities)
      if (message.type === 'result') this.#settle(message, refusal)
      else if (message.type === 'cancel') this.#cancel(message, refusal)
      else this.#handle(message, refusal, typeof text === 'string' ? text.length : 0)
    } catch (error) {
      if (error instanceof FrameError) return this.#complain(error)
      // Nothing else catches what throws in a transport's event.
      this.#owner.failed(error, { sid: this.#socket.sid, step: 'message' })
    }
  }

  /** The connection is gone: calls in flight are neither answered nor waited for. */
  disconnect(): void {
    this.#peer.disconnect(new RpcError('connection_lost'))
    this.#supervisor.disconnect()
  }

  /** It ends work: refused or not, it is done, and does not count. */
  #cancel({ id, reason }: CancelMessage, refusal: PlainError | undefined): void {
    if (!refusal) this.#counter.restore()
    this.#peer.cancel(id, reason)
  }

  /**
   * An answer to a call of the server does not count: the server asked for it. That a notification
   * failed does.
   */
  #settle({ id, outcome }: ResultMessage, refusal: PlainError | undefined): void {
    if (id !== undefined) {
      if (!this.#peer.isPending(id)) return
      this.#counter.uncount()
      if (!refusal) this.#counter.restore()
      return this.#peer.settle(id, outcome)
    }
    if (refusal) return this.#counter.refused(refusal.code)
    if (!this.#actions?.failed(outcome)) this.#complain(badField('fid', 'text'))
  }

  #handle(message: Request, refusal: PlainError | undefined, bytes: number): void {
    const rpc = rpcOf(message)
    const { requests, development } = this.#owner
    const begun = requests.isVerbose ? performance.now() : 0
    const answer = (outcome: AnswerMessage['outcome']) => {
      const nearest = development && isUnknown(outcome, rpc) ? development.nearestAction(rpc) : undefined
      if (nearest !== undefined) return this.#suggest(message, rpc, nearest)
      if (requests.isVerbose || 'error' in outcome) this.#log(message, outcome, begun)
      // An application's own errors may have any code.
      if ('error' in outcome && (refusal || message.type !== 'call')) this.#counter.refused(outcome.code)
      if (message.type === 'call' && isTimeout(outcome, rpc)) return this.#timedOut(message)
      if (development && message.type === 'call' && message.id !== undefined && 'data' in outcome)
        development.checkData('answer', rpc, outcome.data)
      this.#reply(message, rpc, outcome)
    }
    if (refusal) return answer(encodeError(refusal))
    if (!this.#socket.isOpen || message.type === 'auth') return answer(wireError('forbidden'))
    if (message.type === 'call' || message.type === 'ping') return this.#call(message, bytes, answer)
    if (message.type === 'send' && !this.#owner.middleware?.has('message'))
      return answer(this.#socket.receiveDirect(message.data) ? { data: null } : UNHEARD)
    if (message.type === 'refresh') this.#refresh(message, bytes, answer)
    else this.#request(message, bytes, answer)
  }

  #call(message: CallMessage | PingMessage, bytes: number, answer: (outcome: Outcome) => void): void {
    const rpc = rpcOf(message)
    const action = this.#find(rpc)
    // It runs nothing of the application's: heartbeats are answered however many calls run.
    if (action === pong) return answer({ data: pong() })
    const { data: given, timeout = undefined } = message.type === 'call' ? message : {}
    const data = given === undefined && !keepsUndefined(action) ? {} : given
    const around =
      message.type === 'call' ? this.#owner.middleware?.aroundCall(this.#socket, data) : undefined
    this.#peer.receive({
      id: message.id,
      action: action ?? (around && missing(rpc)),
      name: rpc,
      before: [this.#socket.auth, data],
      after: [this.#socket],
      around,
      bytes,
      timeout: this.#owner.functions.of(rpc, timeout),
      asked: timeout,
      answer,
    })
  }

  /** A refresh counts as a call that runs, and has as much time. */
  #refresh(message: RefreshMessage, bytes: number, answer: (outcome: Outcome) => void): void {
    const { refreshes } = this.#owner
    if (!refreshes) return answer(wireError('unsupported'))
    const refresh = { token: message.token, isAnswered: false }
    const answerOnce = (outcome: Outcome) => {
      refresh.isAnswered = true
      answer(outcome)
    }
    const action = () => refreshes.run(this.#socket, refresh).then(() => null)
    this.#peer.receive({ action, before: [], bytes, answer: answerOnce })
  }

  /** Sends how a request ended: of a notification only that it failed. */
  #reply(message: Request, rpc: string, outcome: Outcome): void {
    if (message.id !== undefined) this.#socket.sendMessage({ type: 'answer', id: message.id, rpc, outcome })
    else if ('error' in outcome)
      this.#socket.sendMessage({ type: 'error', error: notificationError(outcome, rpc) })
  }

  /** Says how long a call had. */
  #timedOut(message: CallMessage): void {
    const { functions, development } = this.#owner
    const { name, timeout: asked } = message
    const limit = functions.of(name, asked)
    const outcome = this.#socket.isLegacy
      ? wireError('timeout', { function: name })
      : timeoutOutcome({ name, limit, asked, givesHints: development !== undefined })
    this.#reply(message, name, outcome)
  }

  /** Says which function was most likely meant, to the log and to the client: in development only. */
  #suggest(message: Request, name: string, nearest: string): void {
    const { sid, uid, isLegacy } = this.#socket
    this.#owner.requests.misspelt({ sid, uid, type: typeOf(message), function: name }, nearest)
    const about = { function: name }
    const text = `${ERRORS.not_found}: ${name} (did you mean ${nearest}?)`
    const full = { message: text, code: 'not_found', data: { ...about, didYouMean: nearest } }
    const outcome = isLegacy ? wireError('not_found', about) : encodeError(full)
    this.#reply(message, name, outcome)
  }

  /** @returns the function that is called; one that fails in place of one whose look-up throws, as a getter may */
  #find(name: string): Action | undefined {
    try {
      return this.#owner.findAction(name)
    } catch (cause) {
      const { sid, uid } = this.#socket
      // No function has this name yet: a client may have made it up.
      this.#owner.failed(cause, { sid, uid, function: name, step: 'look-up' })
      return () => {
        throw new RpcError('internal')
      }
    }
  }

  #request(
    request: PendingRequest | PendingMessage,
    bytes: number,
    answer: (outcome: Outcome) => void,
  ): void {
    const answerOnce = (outcome: Outcome) => {
      request.isAnswered = true
      answer(outcome)
    }
    this.#peer.receive({ action: this.#asAction(request, bytes), before: [], bytes, answer: answerOnce })
  }

  /**
   * Requests about the same channel are done in the order in which they came, however long a
   * listener takes; so are a client's messages, however long a middleware takes. A broadcast is
   * about every channel.
   */
  #asAction(message: PendingRequest | PendingMessage, bytes: number): Action {
    const channel = 'channel' in message ? message.channel : ''
    const queue = message.type === 'send' ? MESSAGES : channel
    return (callback: (error: unknown, data: unknown) => void) => {
      // Calls that were answered with a time-out may still stand in the queue.
      const { callsIn: limit, callBytes } = this.#owner.limits
      const { size, weight } = this.#inOrder
      if (size >= limit) return callback(plainRefusal('too_many_calls', { field: 'calls', limit }), undefined)
      if (size > 0 && weight + bytes > callBytes)
        return callback(plainRefusal('too_many_calls', { field: 'callBytes', limit: callBytes }), undefined)
      const carryOut = () => this.#carryOut(message)
      const done =
        message.type === 'broadcast'
          ? this.#inOrder.runAlone(carryOut, bytes)
          : this.#inOrder.run(queue, carryOut, bytes)
      return done.then(({ error, data = null, by }) => {
        if (by) message.refusedBy = by
        callback(channel ? withSubject(forCaller(error), { channel }) : error, data)
      })
    }
  }

  #carryOut(message: PendingRequest | PendingMessage): Promise<ChannelAnswer> {
    return message.type === 'send' ? this.#sendThrough(message) : this.#socket.requestChannel(message)
  }

  /** Listeners get nothing of a client that has left, nor what was answered with a time-out. */
  async #sendThrough(message: PendingMessage): Promise<ChannelAnswer> {
    const { middleware } = this.#owner
    const run = (data: unknown): ChannelAnswer => {
      if (!this.#socket.isOpen || message.isAnswered) return {}
      return this.#socket.receiveDirect(data) ? {} : { error: NO_LISTENER }
    }
    if (!middleware || !this.#socket.isOpen || message.isAnswered) return run(message.data)
    return middleware.aroundMessage(this.#socket, message.data, run)
  }

  #log(message: Request, outcome: Outcome, begun: number): void {
    const { requests } = this.#owner
    const error = 'error' in outcome ? outcome : undefined
    if (!requests.writes(error)) return
    const { sid, uid } = this.#socket
    const ms = requests.isVerbose ? Math.round(performance.now() - begun) : undefined
    const { refusedBy: by } = message as Partial<PendingRequest>
    const subject = { ...('channel' in message && { channel: message.channel }), ...(by && { by }) }
    const name = message.type === 'call' ? { function: message.name } : subject
    const request = { sid, uid, type: typeOf(message), ...name, ...(ms !== undefined && { ms }) }
    requests.answered(request, error)
  }

  #complain({ error, rpc, id }: FrameError): void {
    this.#wrong ??= new Rate(MINUTE)
    if (this.#wrong.count() > this.#owner.limits.wrongMessages) return this.#socket.closeFor('bad_messages')
    const outcome = encodeError(error)
    const { requests } = this.#owner
    if (requests.writes(outcome)) {
      const { sid, uid } = this.#socket
      requests.answered({ sid, uid, type: 'message', ...(rpc !== undefined && { function: rpc }) }, outcome)
    }
    if (rpc === undefined) this.#socket.sendMessage({ type: 'error', error: outcome })
    else if (id === undefined) this.#reply({ type: 'call', name: rpc, data: undefined }, rpc, outcome)
    else this.#socket.sendMessage({ type: 'answer', id, rpc, outcome })
  }
}

/** What a request is in the log. */
function typeOf({ type, id }: Request): string {
  return id === undefined ? 'notify' : type
}

function keepsUndefined(action: (Action & { readonly [KEEPS_UNDEFINED]?: true }) | undefined): boolean {
  return action?.[KEEPS_UNDEFINED] === true
}

function rpcOf(message: Request): string {
  if (message.type === 'call') return message.name
  return message.type === 'auth' ? 'auth' : `_${message.type}`
}

/** The function in the place of one that there is not: what runs around calls runs around it, too. */
function missing(name: string): Action {
  return () => {
    throw withSubject(new RpcError('not_found'), { function: name })
  }
}

/** Whether a call was refused since there is no such function. */
function isUnknown(outcome: Outcome, name: string): boolean {
  if (!('code' in outcome) || outcome.code !== 'not_found') return false
  return (outcome.about as { readonly function?: unknown } | undefined)?.function === name
}
