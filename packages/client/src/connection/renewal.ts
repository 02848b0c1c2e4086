import { asRpcError, isPassing, RpcError, startTimeout } from '@token-socket/protocol'
import { settle } from '../runtime/callback.js'
import { RENEWED } from '../runtime/reason-texts.js'
import { Backoff } from './backoff.js'
import type { MessageConnection } from './message-connection.js'

/** What a {@link Renewal} needs of the socket. */
export interface RenewalOwner {
  /** Its link is the one that is ready. */
  readonly connector: {
    readonly link: MessageConnection | undefined
    /**
     * Gives up the link; the next one begins with a fresh token.
     * @param isOver whether a refusal of that token is final
     */
    drop(error: RpcError, isOver?: boolean): void
  }
  /** Gets a fresh token. */
  requestToken(signal: AbortSignal): Promise<string | undefined>
  /** Sends a token on a link. Resolves when the server has taken it. */
  sendToken(link: MessageConnection, token: string): Promise<unknown>
  /** The next link is another user's. */
  userChanged(): void
  /** A refresh failed that no caller waits for. */
  failed(error: unknown): void
}

/** Options of a {@link Renewal}. */
export interface RenewalOptions {
  /** The application's own token, if it has one. */
  readonly token: unknown
  /** What gives the URL of a connection without a token, if it has one. */
  readonly url: unknown
}

/** A caller of `refresh` that waits; several share one. */
interface PendingRefresh {
  readonly promise: Promise<void>
  settle(error?: RpcError): void
}

/** Milliseconds after which an authorization is renewed at the earliest, however short it is. */
const SHORTEST = 1000

/**
 * Renews what the server allows this socket before it ends: gets a token, and sends it on the open
 * link. One renewal runs at a time. What it began on a link ends with that link: the next one
 * begins with a fresh token anyway.
 */
export class Renewal {
  /** When the authorization ends, in milliseconds of `performance.now()`; `undefined` for never. */
  ends: number | undefined
  readonly #owner: RenewalOwner
  readonly #options: RenewalOptions
  #backoff = new Backoff()
  /** Milliseconds until it is time, if a time is set. */
  #left: (() => number) | undefined
  #stopTimer = () => {}
  /** The renewal under way. */
  #running: AbortController | undefined
  /** The server has asked for a token that is newer than that of the renewal under way. */
  #isStale = false
  /** The server has asked for a token, and has not got one since. */
  #isOrdered = false
  #pending: PendingRefresh | undefined

  constructor(options: RenewalOptions, owner: RenewalOwner) {
    this.#options = options
    this.#owner = owner
  }

  /** A link is ready: it has just brought a fresh token. */
  opened(expiresIn: number | undefined): void {
    this.changed(expiresIn)
    this.#settle()
  }

  /** The server says how long the authorization lasts. @param expiresIn milliseconds */
  changed(expiresIn: number | undefined): void {
    const { token, url } = this.#options
    this.ends = expiresIn && performance.now() + expiresIn
    this.#backoff = new Backoff()
    // A token that stays the same, or none, gets nothing by it.
    const isRenewable = expiresIn && !url && typeof token !== 'string'
    this.#wait(isRenewable ? Math.max(SHORTEST, expiresIn * (0.75 + Math.random() / 10)) : undefined)
  }

  /** The link is gone. */
  lost(): void {
    this.#wait()
    this.#isStale = this.#isOrdered = false
    this.#running?.abort()
    this.#running = undefined
  }

  /** There will be no link any more. */
  close(error: RpcError): void {
    this.lost()
    this.#settle(error)
  }

  /** Looks at the time: after sleep the timer is late. */
  check(): void {
    const left = this.#left?.()
    if (left === undefined) return
    if (left <= 0) this.start()
    else this.#arm(left)
  }

  /**
   * Renews now. Resolves when the server has taken a new token: on this link, or with the next. The
   * token of a renewal that runs already may say what was so before: another one follows.
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

  /** The server asks for a token: where it is refused, the connection is given up. */
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
      // The token of a link that is gone is for no other.
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
   * Sets the time of the next renewal. Two clocks measure it: one stands while a machine sleeps,
   * and the other may jump.
   * @param wait milliseconds. @default there is none
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
