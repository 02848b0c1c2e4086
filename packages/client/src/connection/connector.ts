import {
  asRpcError,
  CLOSE_TIMEOUT,
  isAuthorizationOver,
  isPassing,
  RpcError,
  shouldReconnect,
  startTimeout,
} from '@token-socket/protocol'
import { PAGE_LEFT, SUSPENDED } from '../runtime/reason-texts.js'
import type { SocketStatus } from '../settings/socket-status.js'
import { CONNECTION_MOVES, type ConnectionEvent, type ConnectionState } from '../settings/states.js'
import { lossError } from './attempt.js'
import { Backoff } from './backoff.js'
import type { MessageConnection, MessageListener } from './message-connection.js'
import { isOffline } from './wake.js'

/** An event of the state machine. */
export interface Move {
  readonly event: ConnectionEvent
  readonly from: ConnectionState
  /** The error of `fail`, `refuse` and `lose`. */
  readonly error?: RpcError
  /**
   * Milliseconds until the next attempt, for `fail` and `lose`. Without it, the attempt waits until
   * the page is shown again.
   */
  readonly delay?: number
}

/** Dependencies of a {@link Connector}. */
export interface ConnectorOwner {
  /** Makes one attempt; see `attempt`. */
  tryOnce(listener: MessageListener, signal: AbortSignal): Promise<MessageConnection>
  /** A message arrived, on the connection that is ready or about to be. */
  receive: MessageListener['receive']
  /**
   * The state has changed. The connector's own work is done by then, so any method may be called.
   */
  moved(move: Move): void
}

/** Milliseconds of being ready after which a server counts as stable, and the delays start over. */
const STABLE = 10_000

/**
 * Milliseconds until the next attempt while the browser reports that it is offline, which may be
 * wrong.
 */
const OFFLINE_WAIT = 60_000

/** The most milliseconds that a server may ask the client to wait. */
const LONGEST_RETRY = 300_000

/**
 * How many tokens in a row the server may refuse before the first `ready`. Another one would be
 * refused as well.
 */
const REFUSED_TOKENS = 3

/** Options of a {@link Connector}. */
export interface ConnectorOptions {
  /** Whether to reconnect at all. */
  readonly reconnect: boolean
  /** Whether to wait for {@link Connector.resume} before the first attempt. */
  readonly lazy: boolean
  /** The application's own token, if there is one. */
  readonly token: unknown
  /** Returns the URL of a connection without a token, if there is one. */
  readonly url: unknown
  /** How often that may fail or be refused in a row before the first `ready`. */
  readonly tokenAttempts: number
}

/**
 * Keeps one connection ready: connects, waits, and reconnects. At most one connection, one attempt
 * or one wait exists at a time.
 */
export class Connector {
  readonly #owner: ConnectorOwner
  readonly #options: ConnectorOptions
  readonly #backoff = new Backoff()
  #state: ConnectionState
  #link: MessageConnection | undefined
  #attempt: AbortController | undefined
  #stopTimer = () => {}
  #wasReady = false
  /** The last connection's authorization has ended: a refused token is final again. */
  #isOver = false
  #refusedTokens = 0
  /** Attempts since the socket was last ready. */
  #tries = 0
  #error: RpcError | undefined
  #retryAt: number | undefined

  constructor(options: ConnectorOptions, owner: ConnectorOwner) {
    this.#options = options
    this.#owner = owner
    this.#state = options.lazy ? 'suspended' : 'connecting'
  }

  /** The status of the socket, a new object each time. */
  get status(): SocketStatus {
    const retryAt = this.#retryAt
    const delay = retryAt && Math.max(0, retryAt - Date.now())
    return { state: this.#state, attempt: this.#tries, error: this.#error, retryAt, delay }
  }

  /** The connection that is ready. */
  get link(): MessageConnection | undefined {
    return this.#link
  }

  /** Makes the first attempt, unless the socket is lazy. Called once. */
  start(): void {
    if (this.#state === 'connecting') this.#try()
  }

  #try(): void {
    const attempt = new AbortController()
    const { signal } = attempt
    this.#attempt = attempt
    this.#tries += 1
    const receive: MessageListener['receive'] = (...args) => {
      if (this.#attempt === attempt && !signal.aborted) this.#owner.receive(...args)
    }
    this.#owner.tryOnce({ receive, closed() {} }, signal).then(
      // The attempt may have been aborted since its last step.
      (link) => (signal.aborted ? link.close() : this.#use(link, receive)),
      (error: unknown) => signal.aborted || this.#failed(asRpcError(error)),
    )
  }

  /** Makes the next attempt now, if the socket waits for it. */
  retry(): void {
    if (this.#state !== 'waiting') return
    this.#stopTimer()
    this.#move('retry')
  }

  /** Closes the connection, and makes no attempt until {@link resume}. */
  suspend(): void {
    this.#stop('suspend', new RpcError('connection_lost', SUSPENDED, { reason: 'suspended' }))
  }

  /** Connects now, after {@link suspend}. */
  resume(): void {
    this.#move('resume')
  }

  /**
   * The browser reports that it is offline: the next attempt is delayed until {@link retry}, or for
   * a while.
   */
  pause(): void {
    if (this.#state === 'waiting') this.#wait(offlineWait())
  }

  /**
   * Closes the connection, and waits for {@link retry}: the page is hidden in the browser's cache,
   * and may return.
   */
  leave(): void {
    if (this.#state === 'waiting') this.#stopTimer()
    this.#retryAt = undefined
    const error = new RpcError('connection_lost', PAGE_LEFT, { reason: 'page_left' })
    const link = this.#link
    if (this.#state === 'connecting') {
      this.#attempt?.abort(error)
      this.#goOn('fail', error, true)
    } else if (link) {
      link.close()
      this.#lost(error, true)
    }
  }

  /**
   * Drops the ready connection: it is dead, although the network has not reported that.
   * @param isOver whether its authorization has ended, so that a refused token is final
   */
  drop(error: RpcError, isOver = false): void {
    this.#link?.close()
    this.#lost(error, false, isOver)
  }

  /** Ends the socket for good, in any state. Resolves when the transport is closed, within 2 s. */
  async end(): Promise<void> {
    const link = this.#link
    this.#stop('end')
    if (link)
      await Promise.race([
        link.whenClosed,
        new Promise<void>((resolve) => startTimeout(CLOSE_TIMEOUT, resolve)),
      ])
  }

  /** Closes the connection. Does nothing if the event has no meaning in this state. */
  #stop(event: 'suspend' | 'end', error?: RpcError): void {
    if (!CONNECTION_MOVES[this.#state][event]) return
    const link = this.#link
    this.#attempt?.abort(error ?? new RpcError('ended'))
    this.#link = undefined
    this.#stopTimer()
    link?.close()
    this.#move(event, error && { error })
  }

  #use(link: MessageConnection, receive: MessageListener['receive']): void {
    this.#link = link
    this.#wasReady = true
    this.#isOver = false
    this.#refusedTokens = 0
    this.#tries = 0
    this.#stopTimer = startTimeout(STABLE, () => this.#backoff.reset())
    this.#move('open')
    link.listen({
      receive,
      closed: (code, reason) => this.#link === link && this.#lost(lossError({ code, reason })),
    })
  }

  #failed(error: RpcError): void {
    const { code } = error
    const isOfToken =
      code === 'invalid_token' || code === 'url_failed' || (this.#options.token && code === 'token_failed')
    this.#refusedTokens = isOfToken ? this.#refusedTokens + 1 : 0
    this.#goOn('fail', error)
  }

  #lost(error: RpcError, isAway = false, isOver = isAuthorizationOver(closeCodeOf(error))): void {
    if (!this.#link) return
    this.#link = undefined
    this.#isOver = isOver
    this.#stopTimer()
    this.#goOn('lose', error, isAway)
  }

  #isFinal(error: RpcError): boolean {
    const { reconnect, token, url, tokenAttempts } = this.#options
    if (!reconnect || !shouldReconnect(closeCodeOf(error))) return true
    const attempts = (token ?? url) ? tokenAttempts : REFUSED_TOKENS
    const isFirst = !this.#wasReady
    return (
      ((isFirst || this.#isOver) && !isPassing(error.code)) || (isFirst && this.#refusedTokens >= attempts)
    )
  }

  /**
   * After a failure: waits for the next attempt, or gives up. @param isAway whether only {@link
   * retry} ends the wait
   */
  #goOn(event: 'fail' | 'lose', error: RpcError, isAway = false): void {
    if (this.#isFinal(error)) return this.#move('refuse', { error })
    if (isAway) return this.#move(event, { error })
    const delay = isOffline() ? offlineWait() : this.#backoff.next() + retryAfterOf(error)
    this.#wait(delay)
    this.#move(event, { error, delay })
  }

  #wait(delay: number): void {
    this.#stopTimer()
    this.#retryAt = Date.now() + delay
    // A process that only has this socket must not exit while the server is unavailable for a
    // moment.
    this.#stopTimer = startTimeout(delay, () => this.retry(), true)
  }

  #move(event: ConnectionEvent, details?: Pick<Move, 'error' | 'delay'>): void {
    const from = this.#state
    const next = CONNECTION_MOVES[from][event]
    if (!next) return
    this.#state = next
    if (next !== 'waiting') this.#retryAt = undefined
    if (next !== 'connecting') this.#error = details?.error
    if (next === 'connecting') this.#try()
    this.#owner.moved({ event, from, ...details })
  }
}

function offlineWait(): number {
  return (OFFLINE_WAIT / 2) * (1 + Math.random())
}

/** Milliseconds that the server asks all clients to wait: the backoff is added. */
function retryAfterOf({ data }: RpcError): number {
  return Math.max(Math.min(Object(data).retryAfter, LONGEST_RETRY), 0) || 0
}

function closeCodeOf(error: RpcError): number {
  const { code } = (error.data ?? {}) as { code?: unknown }
  return typeof code === 'number' ? code : 0
}
