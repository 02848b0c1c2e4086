import type { IncomingMessage } from 'node:http'
import { RpcError } from '@token-socket/protocol'
import type { AverageDuration } from '../runtime/average-duration.js'
import type { FairSlots } from '../runtime/fair-slots.js'

/** The error of a {@link ConnectCall} whose client has disconnected. */
export const WITHDRAWN = new RpcError('connection_lost')

/** Milliseconds for which a late function keeps its slot. After that it counts as hung. */
const LATE_SLOT = 30_000

/** Dependencies of a {@link ConnectCall}. */
export interface ConnectCallOptions {
  /** Milliseconds for the wait and the answer together. */
  readonly timeout: number
  readonly slots: Pick<FairSlots, 'enter'>
  /** The durations of recent calls. */
  readonly durations: Pick<AverageDuration, 'add' | 'ms'>
  /** Queues calls that have waited for a slot. */
  readonly throttle: { run(task: () => void): void }
  /** Calls the application's function. It does not throw. */
  ask(request: IncomingMessage): Promise<unknown>
  /** Returns the error of a call that is not answered in time. */
  late(isAsked: boolean): Error
  /**
   * A function counts as hung: its slot is free, although it may still run.
   * @param ms milliseconds since its time-out
   */
  hung(ms: number): void
}

/**
 * One call of `connectAuthentication`. It waits for a slot, calls the function, and releases the
 * slot when the function has answered. A late function keeps its slot for 30 s more, because it
 * still runs. The function is not called if less time is left than recent calls took, and less than
 * half of the call's time.
 *
 * A withdrawn call keeps nothing of its request. If it waits, it leaves the queue. If it runs, it
 * keeps its slot as long as before.
 */
export class ConnectCall {
  readonly #options: ConnectCallOptions
  /** Set until the application is asked. */
  #request: IncomingMessage | undefined
  #timer: NodeJS.Timeout
  readonly #end: number
  #leave = () => {}
  #isAsked = false
  #settle: { resolve(auth: unknown): void; reject(cause: unknown): void } | undefined
  /** The answer. It rejects with {@link WITHDRAWN} when the call is withdrawn. */
  readonly answer: Promise<unknown>

  /** @param owner the address: slots are shared fairly among addresses */
  constructor(request: IncomingMessage, owner: string, options: ConnectCallOptions) {
    this.#options = options
    this.#request = request
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.#end = performance.now() + options.timeout
    this.#timer = setTimeout(() => this.#late(), options.timeout)
    this.#timer.unref()
    this.#enter(owner)
  }

  /**
   * Withdraws the call, because its client has disconnected. Does nothing if it is answered
   * already.
   */
  withdraw(): void {
    this.#request = undefined
    this.#settle?.reject(WITHDRAWN)
    this.#settle = undefined
    if (!this.#isAsked) this.#free()
  }

  #enter(owner: string): void {
    const { slots, throttle } = this.#options
    let isAtOnce = true
    const leave = slots.enter(owner, (leave) => {
      this.#leave = leave
      if (isAtOnce) this.#ask()
      else throttle.run(this.#ask)
    })
    isAtOnce = false
    this.#leave = leave
  }

  readonly #ask = () => {
    const request = this.#request
    if (!request) return
    const { durations, timeout, ask, late } = this.#options
    const began = performance.now()
    if (this.#end - began < Math.min(durations.ms, timeout / 2)) return this.#fail(late(false))
    this.#request = undefined
    this.#isAsked = true
    const settled = () => durations.add(performance.now() - began)
    ask(request)
      .finally(settled)
      .then(
        (auth) => {
          this.#free()
          this.#settle?.resolve(auth)
        },
        (cause) => this.#fail(cause),
      )
  }

  #late(): void {
    const { late, hung } = this.#options
    if (!this.#isAsked) return this.#fail(late(false))
    this.#settle?.reject(late(true))
    this.#settle = undefined
    this.#timer = setTimeout(() => {
      this.#free()
      hung(LATE_SLOT)
    }, LATE_SLOT)
    this.#timer.unref()
  }

  #fail(cause: unknown): void {
    this.#request = undefined
    this.#free()
    this.#settle?.reject(cause)
  }

  /** Releases the slot. Does nothing if called again. */
  #free(): void {
    clearTimeout(this.#timer)
    this.#leave()
  }
}
