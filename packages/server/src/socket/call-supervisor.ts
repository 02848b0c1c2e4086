import type {
  AnswerForm,
  CallEnd,
  CancelReason,
  Capability,
  IncomingCall,
  PlainError,
  RpcListener,
  ServerMessage,
  Timeouts,
} from '@token-socket/protocol'
import type { FailureListener } from '../runtime/failures.js'
import type { RequestLog } from '../runtime/request-log.js'
import { AbandonedCalls, type AbandonedLimits } from './abandoned-calls.js'
import type { FunctionTimeouts } from './function-timeouts.js'

/** Dependencies of a {@link CallSupervisor} that all sockets of a server share. */
export interface CallSupervisorOwner {
  readonly timeouts: Timeouts
  readonly limits: AbandonedLimits & {
    /** Milliseconds of a call whose function has no rule. */
    readonly timeout: number
  }
  readonly functions: FunctionTimeouts
  readonly requests: RequestLog
  readonly failed: FailureListener
}

/** The socket of a {@link CallSupervisor}. */
export interface SupervisedSocket {
  readonly sid: string
  readonly uid: string | undefined
  /** The capabilities of its client. */
  readonly capabilities: readonly Capability[]
  sendMessage(message: ServerMessage): void
}

/**
 * Watches the calls of one socket: it limits functions that run longer than their calls, and
 * reports functions that answer wrongly.
 */
export class CallSupervisor implements RpcListener {
  readonly #socket: SupervisedSocket
  readonly #owner: CallSupervisorOwner
  #abandoned: AbandonedCalls | undefined

  constructor(socket: SupervisedSocket, owner: CallSupervisorOwner) {
    this.#socket = socket
    this.#owner = owner
  }

  threw(cause: unknown, name: string | undefined): void {
    const { sid, uid } = this.#socket
    this.#owner.failed(cause, { sid, uid, ...(name !== undefined && { function: name }) })
  }

  refuse({ name }: IncomingCall): PlainError | undefined {
    return name === undefined ? undefined : this.#abandoned?.refusal()
  }

  unanswered(call: IncomingCall, end: CallEnd, form: AnswerForm): void {
    const { name, timeout, asked } = call
    if (name === undefined || end === 'connection_lost') return
    // Clients may choose shorter times at will.
    const { functions } = this.#owner
    const isOver = end === 'timeout' && (timeout ?? 0) >= functions.of(name, undefined)
    if (isOver) this.#owner.requests.unanswered({ ...this.#subject(name), limit: timeout, asked }, form)
    this.#abandoned ??= new AbandonedCalls(this.#owner.limits, this.#owner.timeouts)
    // A function that has not settled within the time of its calls may never do so.
    const longest = functions.longest(name)
    this.#abandoned.add(call, Math.max(longest, this.#owner.limits.timeout))
  }

  settled(call: IncomingCall): void {
    this.#abandoned?.remove(call)
  }

  late({ name }: IncomingCall, end: CallEnd | undefined): void {
    if (name !== undefined) this.#owner.requests.late(this.#subject(name), end)
  }

  cancel(id: string, reason: CancelReason): void {
    if (this.#socket.capabilities.includes('cancel'))
      this.#socket.sendMessage({ type: 'withdraw', id, reason })
  }

  /** The connection has ended. */
  disconnect(): void {
    this.#abandoned?.clear()
  }

  #subject(name: string): {
    readonly sid: string
    readonly uid: string | undefined
    readonly function: string
  } {
    const { sid, uid } = this.#socket
    return { sid, uid, function: name }
  }
}
