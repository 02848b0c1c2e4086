import type { IncomingMessage } from 'node:http'
import { RpcError } from '@token-socket/protocol'
import type { FairSlots } from '../runtime/fair-slots.js'

/** What a {@link ConnectCall} fails with whose client has left. */
export const WITHDRAWN = new RpcError('connection_lost')

/** Dependencies of a {@link ConnectCall}. */
export interface ConnectCallOptions {
  /** Milliseconds for the wait and the answer together. */
  readonly timeout: number
  readonly slots: Pick<FairSlots, 'enter'>
  /** What calls that had to wait for a slot pass before they begin. */
  readonly turnstile: { pass(run: () => void): void }
  /** Asks the application. It does not throw. */
  ask(request: IncomingMessage): Promise<unknown>
  /** What a call fails with that is not answered in time. */
  late(isAsked: boolean): Error
}

/**
 * One call of `connectAuthentication`: waits for a slot, asks, and gives the slot back when it is answered or its time is over. A
 * withdrawn call keeps nothing of its request: one that waits leaves, one that runs has its slot as long as before.
 */
export class ConnectCall {
  readonly #options: ConnectCallOptions
  /** Until the application is asked. */
  #request: IncomingMessage | undefined
  readonly #timer: NodeJS.Timeout
  #leave = () => {}
  #isAsked = false
  #settle: { resolve(auth: unknown): void; reject(cause: unknown): void } | undefined
  /** The answer; rejects with {@link WITHDRAWN} once the call is withdrawn. */
  readonly answer: Promise<unknown>

  /** @param owner takes turns with the others for the slots */
  constructor(request: IncomingMessage, owner: string, options: ConnectCallOptions) {
    this.#options = options
    this.#request = request
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.#timer = setTimeout(() => this.#fail(options.late(this.#isAsked)), options.timeout)
    this.#timer.unref()
    this.#enter(owner)
  }

  /** Its client is gone. Harmless when it is answered already. */
  withdraw(): void {
    this.#request = undefined
    this.#settle?.reject(WITHDRAWN)
    this.#settle = undefined
    if (!this.#isAsked) this.#end()
  }

  #enter(owner: string): void {
    const { slots, turnstile } = this.#options
    let isAtOnce = true
    const leave = slots.enter(owner, (leave) => {
      this.#leave = leave
      if (isAtOnce) this.#ask()
      else turnstile.pass(this.#ask)
    })
    isAtOnce = false
    this.#leave = leave
  }

  readonly #ask = () => {
    const request = this.#request
    if (!request) return
    this.#request = undefined
    this.#isAsked = true
    this.#options.ask(request).then(
      (auth) => {
        this.#end()
        this.#settle?.resolve(auth)
      },
      (cause) => this.#fail(cause),
    )
  }

  #fail(cause: unknown): void {
    this.#request = undefined
    this.#end()
    this.#settle?.reject(cause)
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#leave()
  }
}
