import {
  type CallOptions,
  type Capability,
  decodeError,
  type Outcome,
  RpcError,
  type RpcPeer,
  type ServerMessage,
} from '@token-socket/protocol'
import { checkName } from '../claims/channel-name.js'
import type { Development } from '../development/development.js'
import type { FailureListener } from '../runtime/failures.js'
import { promised } from '../runtime/own-calls.js'
import type { RequestLog } from '../runtime/request-log.js'
import { shorten } from '../runtime/shorten.js'
import type { Turns } from '../runtime/turns.js'
import { actionTimeout } from './action-timeout.js'
import { FailureCredit } from './failure-credit.js'
import { callBack, type RpcCallback } from './rpc-callback.js'

/** Dependencies of {@link ClientActions} that all sockets of a server share. */
export interface ClientActionsOwner {
  readonly requests: RequestLog
  readonly failed: FailureListener
  /**
   * `timeout`: milliseconds of a call, and the least time for which a client may report that a
   * notification failed.
   */
  readonly limits: { readonly timeout: number }
  /** The time of the turn, where that is precise enough. @default the current time */
  readonly turns?: Pick<Turns, 'time'>
  /** Whether callbacks get errors in the client's form. @default false */
  readonly plainErrors?: boolean | undefined
  /** Checks of development servers. @default none */
  readonly development?: Pick<Development, 'checkData'> | undefined
}

/** The socket of {@link ClientActions}. */
export interface CalledSocket {
  readonly sid: string
  readonly uid: string | undefined
  /** The capabilities of its client. */
  readonly capabilities: readonly Capability[]
  readonly isClosed: boolean
  /** Set if its client does not use the library's wire: it cannot be called. @default it can */
  readonly wire?: object | undefined
  /** Whether its client is the legacy one, for which plain errors are texts. */
  readonly isLegacy: boolean
  sendMessage(message: ServerMessage): void
}

/**
 * The outcome of a call without an answer. A client without notifications may never answer the call
 * that replaces one.
 */
const UNANSWERED = /^(connection_lost|timeout)$/

/** The actions of one client, called by the server: with an answer, or as notifications. */
export class ClientActions {
  readonly #socket: CalledSocket
  readonly #owner: ClientActionsOwner
  readonly #peer: RpcPeer
  /** Notifications whose failures the client may report. Created with the first one. */
  #credit: FailureCredit | undefined

  constructor(socket: CalledSocket, owner: ClientActionsOwner, peer: RpcPeer) {
    this.#socket = socket
    this.#owner = owner
    this.#peer = peer
  }

  /** Calls an action. See {@link ServerSocket.rpc}. */
  call(name: string, data: unknown, rest?: RpcCallback | CallOptions): Promise<unknown> | undefined {
    const [callback, options] = typeof rest === 'function' ? [rest] : [undefined, rest ?? undefined]
    const { requests, development, failed, plainErrors } = this.#owner
    development?.checkData('call', name, data)
    const send = (id: string) => {
      this.#check()
      checkName('name', name)
      const timeout = actionTimeout(options)
      this.#socket.sendMessage({
        type: 'invoke',
        id,
        name,
        data,
        timeout: this.#socket.isLegacy ? undefined : timeout,
      })
    }
    const answer = this.#peer.request(send, options, name)
    const { sid, uid } = this.#socket
    if (requests.isVerbose) requests.watch({ sid, uid, type: 'invoke', function: name }, answer)
    if (!callback) return answer
    const callbackFailed = (cause: unknown) => failed(cause, { sid, rpc: name, method: 'rpc' })
    return void callBack(answer, callback, { failed: callbackFailed, plainErrors })
  }

  /** Notifies an action. See {@link ServerSocket.notify}. */
  notify(name: string, data: unknown): Promise<void> {
    const { development, failed } = this.#owner
    development?.checkData('notification', name, data)
    const { sid } = this.#socket
    const misused = (cause: unknown, details: object) => failed(cause, { ...details, sid })
    return promised('socket.notify', async () => this.#notify(name, data), misused)
  }

  /**
   * A notification failed at the client. A report that is too late, or one too many, is dropped.
   * @returns `false` if the client was sent no notification that could have failed
   */
  failed(outcome: Outcome): boolean {
    if (!('error' in outcome)) return false
    const credit = this.#credit?.take(this.#now()) ?? 'unasked'
    if (credit !== 'counts') return credit === 'late'
    const error = decodeError(outcome)
    const { function: name } = Object(error.data) as { readonly function?: unknown }
    this.#report(error, typeof name === 'string' ? name : undefined)
    return true
  }

  /** @throws RpcError @returns a promise that may reject with one, if it is not sent at once */
  #notify(name: string, data: unknown): Promise<void> | undefined {
    checkName('name', name)
    this.#check()
    const { sid, uid, capabilities } = this.#socket
    if (!capabilities.includes('notify')) return this.#callInstead(name, data)
    this.#socket.sendMessage({ type: 'invoke', name, data })
    this.#credit ??= new FailureCredit(this.#owner.limits.timeout)
    this.#credit.add(this.#now())
    const { requests } = this.#owner
    if (requests.isVerbose) requests.notified({ sid, uid, type: 'notify', function: name })
    return undefined
  }

  #check(): void {
    if (this.#socket.isClosed) throw new RpcError('connection_lost')
    if (this.#socket.wire) throw new RpcError('unsupported', 'A raw WebSocket has no functions to call')
  }

  #now(): number {
    return this.#owner.turns?.time ?? performance.now()
  }

  /**
   * Calls an action of a client without notifications. Its answer is dropped, and so is a time-out.
   */
  #callInstead(name: string, data: unknown): Promise<void> | undefined {
    let isSent = false
    const send = (id: string) => {
      this.#socket.sendMessage({ type: 'invoke', id, name, data })
      isSent = true
    }
    const answer = this.#peer.request(send, undefined, name)
    if (!isSent) return answer.then(() => {})
    answer.catch((error: RpcError) => {
      if (!UNANSWERED.test(error.code)) this.#report(error, name)
    })
    return undefined
  }

  /**
   * Reports a notification that failed at the client.
   * @param name the client may have made it up
   */
  #report(error: RpcError, name: string | undefined): void {
    const { sid, uid } = this.#socket
    const called = name === undefined ? {} : { function: shorten(name) }
    this.#owner.failed(error, { sid, uid, ...called, step: 'notification' })
  }
}
