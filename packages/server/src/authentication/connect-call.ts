import type { IncomingMessage } from 'node:http'
import { RpcError } from '@token-socket/protocol'
import type { AverageDuration } from '../runtime/average-duration.js'
import type { FairSlots } from '../runtime/fair-slots.js'

/** What a {@link ConnectCall} fails with whose client has left. */
export const WITHDRAWN = new RpcError('connection_lost')

/** Milliseconds for which a function that is late keeps its slot. After that it counts as hung. */
const LATE_SLOT = 30_000

/** Dependencies of a {@link ConnectCall}. */
export interface ConnectCallOptions {
  /** Milliseconds for the wait and the answer together. */
  readonly timeout: number
  readonly slots: Pick<FairSlots, 'enter'>
  /** How long calls took lately. */
  readonly durations: Pick<AverageDuration, 'add' | 'ms'>
  /** What calls that had to wait for a slot pass before they begin. */
  readonly throttle: { run(task: () => void): void }
  /** Asks the application. It does not throw. */
  ask(request: IncomingMessage): Promise<unknown>
  /** What a call fails with that is not answered in time. */
  late(isAsked: boolean): Error
  /**
   * A function is given up: its slot is free, although it may still run.
   * @param ms since it was late
   */
  hung(ms: number): void
}

/**
 * One call of `connectAuthentication`: waits for a slot, asks, and gives the slot back when the
 * function has answered. A function that is late keeps its slot for 30 s more: it still runs. A
 * call is not asked when calls took longer lately than the time that it has left, at most half of
 * its time.
 *
 * A withdrawn call keeps nothing of its request: one that waits leaves, one that runs has its slot
 * as long as before.
 */
export class ConnectCall {
  readonly #options: ConnectCallOptions
  /** Until the application is asked. */
  #request: IncomingMessage | undefined
  #timer: NodeJS.Timeout
  readonly #end: number
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
    this.#end = performance.now() + options.timeout
    this.#timer = setTimeout(() => this.#late(), options.timeout)
    this.#timer.unref()
    this.#enter(owner)
  }

  /** Its client is gone. Harmless when it is answered already. */
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

  /** Gives the slot back. Harmless when called again. */
  #free(): void {
    clearTimeout(this.#timer)
    this.#leave()
  }
}
