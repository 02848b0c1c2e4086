import { asRpcError, isPassing, RpcError, startTimeout } from '@token-socket/protocol'
import { settle } from '../runtime/callback.js'
import { RENEWED } from '../runtime/reason-texts.js'
import { Backoff } from './backoff.js'
import type { MessageConnection } from './message-connection.js'

/** Dependencies of a {@link Renewal}. */
export interface RenewalOwner {
  /** Its `link` is the connection that is ready. */
  readonly connector: {
    readonly link: MessageConnection | undefined
    /**
     * Drops the connection; the next one begins with a new token.
     * @param isOver whether a refusal of that token is final
     */
    drop(error: RpcError, isOver?: boolean): void
  }
  /** Requests a new token. */
  requestToken(signal: AbortSignal): Promise<string | undefined>
  /** Sends a token on a connection. Resolves when the server has accepted it. */
  sendToken(link: MessageConnection, token: string): Promise<unknown>
  /** The next connection is another user's. */
  userChanged(): void
  /** A refresh failed whose caller does not wait. */
  failed(error: unknown): void
}

/** Options of a {@link Renewal}. */
export interface RenewalOptions {
  /** The application's own token, if it has one. */
  readonly token: unknown
  /** Returns the URL of a connection without a token, if there is one. */
  readonly url: unknown
}

/** A waiting caller of `refresh`; several share one. */
interface PendingRefresh {
  readonly promise: Promise<void>
  settle(error?: RpcError): void
}

/** Milliseconds after which an authorization is renewed at the earliest, however short it is. */
const SHORTEST = 1000

/**
 * Renews the socket's authorization before it ends: requests a token, and sends it on the open
 * connection. One renewal runs at a time. It ends with its connection, since the next connection
 * begins with a new token.
 */
export class Renewal {
  /** When the authorization ends, in milliseconds of `performance.now()`; `undefined` for never. */
  ends: number | undefined
  readonly #owner: RenewalOwner
  readonly #options: RenewalOptions
  #backoff = new Backoff()
  /** Returns the milliseconds until the renewal, if one is scheduled. */
  #left: (() => number) | undefined
  #stopTimer = () => {}
  /** The running renewal. */
  #running: AbortController | undefined
  /** Whether the server wants a token that is newer than that of the running renewal. */
  #isStale = false
  /** Whether the server waits for a token that it has requested. */
  #isOrdered = false
  #pending: PendingRefresh | undefined

  constructor(options: RenewalOptions, owner: RenewalOwner) {
    this.#options = options
    this.#owner = owner
  }

  /** A connection is ready: its token is new. */
  opened(expiresIn: number | undefined): void {
    this.changed(expiresIn)
    this.#settle()
  }

  /** The server reports how long the authorization lasts. @param expiresIn milliseconds */
  changed(expiresIn: number | undefined): void {
    const { token, url } = this.#options
    this.ends = expiresIn && performance.now() + expiresIn
    this.#backoff = new Backoff()
    // A fixed token, or none, cannot be renewed.
    const isRenewable = expiresIn && !url && typeof token !== 'string'
    this.#wait(isRenewable ? Math.max(SHORTEST, expiresIn * (0.75 + Math.random() / 10)) : undefined)
  }

  /** The connection is lost. */
  lost(): void {
    this.#wait()
    this.#isStale = this.#isOrdered = false
    this.#running?.abort()
    this.#running = undefined
  }

  /** The socket has ended. */
  close(error: RpcError): void {
    this.lost()
    this.#settle(error)
  }

  /** Checks the time: after sleep the timer is late. */
  check(): void {
    const left = this.#left?.()
    if (left === undefined) return
    if (left <= 0) this.start()
    else this.#arm(left)
  }

  /**
   * Renews now. Resolves when the server has accepted a new token, on this connection or the next.
   * If a renewal runs already, another one follows, since its token may be older than this call.
   */
  refresh(): Promise<void> {
    const isFirst = !this.#pending
    if (!this.#pending) {
      let settle = (_error?: RpcError): void => {}
      const promise = new Promise<void>((resolve, reject) => {
        settle = (error) => (error ? reject(error) : resolve())
      })
      this.#pending = { promise, settle }
    }
    const { promise } = this.#pending
    if (isFirst || !this.#running) this.start()
    return settle(promise)
  }

  /** The server requests a token. If it refuses the token, the connection is dropped. */
  order(): void {
    this.#isOrdered = true
    this.start()
  }

  /** Renews now, with a token that is requested from now on. */
  start(): void {
    const { link } = this.#owner.connector
    this.#isStale = !!this.#running
    if (!link || this.#running) return
    this.#wait()
    if (this.#options.url || !link.session?.can?.includes('refresh')) this.#reconnect()
    else void this.#run(link)
  }

  async #run(link: MessageConnection): Promise<void> {
    const running = new AbortController()
    this.#running = running
    this.#isStale = false
    let error: RpcError | undefined
    try {
      const token = await this.#owner.requestToken(running.signal)
      // The token of a lost connection is for that connection only.
      if (token && running === this.#running) await this.#owner.sendToken(link, token)
    } catch (cause) {
      error = asRpcError(cause)
    }
    if (running !== this.#running) return
    this.#running = undefined
    const isRefused = error && !isPassing(error.code)
    const isUseless = isRefused && this.#isOrdered && !this.#isStale
    if (error?.code === 'identity_changed' || isUseless) this.#reconnect(error)
    else this.#done(error)
  }

  #done(error: RpcError | undefined): void {
    if (error && isPassing(error.code)) this.#wait(this.#backoff.next())
    const isAwaited = this.#pending
    const isStale = this.#isStale
    if (!isStale) this.#settle(error)
    if (error && !isAwaited) this.#owner.failed(error)
    if (isStale) this.start()
    else if (!error) this.#isOrdered = false
  }

  #reconnect(cause?: RpcError): void {
    const error = new RpcError('connection_lost', RENEWED, { reason: 'renewed' }, cause)
    this.#owner.connector.drop(error, this.#isOrdered)
    if (cause?.code === 'identity_changed') this.#owner.userChanged()
  }

  #settle(error?: RpcError): void {
    const pending = this.#pending
    this.#pending = undefined
    pending?.settle(error)
  }

  /**
   * Schedules the next renewal. Two clocks measure the time: one stops while the machine sleeps,
   * and the other one may jump.
   * @param wait milliseconds. @default no renewal is scheduled
   */
  #wait(wait?: number): void {
    this.#stopTimer()
    const [begun, date] = [performance.now(), Date.now()]
    this.#left =
      wait === undefined ? wait : () => wait - Math.max(performance.now() - begun, Date.now() - date)
    if (wait !== undefined) this.#arm(wait)
  }

  #arm(wait: number): void {
    this.#stopTimer()
    this.#stopTimer = startTimeout(wait, () => this.check())
  }
}
