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

/** Something happened to the socket. */
export interface Move {
  readonly event: ConnectionEvent
  readonly from: ConnectionState
  /** Why, for `fail`, `refuse` and `lose`. */
  readonly error?: RpcError
  /** Milliseconds until the next try, for `fail` and `lose`; without it the try waits for the page to come back. */
  readonly delay?: number
}

/** What a {@link Connector} needs of the socket. */
export interface ConnectorOwner {
  /** One try; see `attempt`. */
  tryOnce(listener: MessageListener, signal: AbortSignal): Promise<MessageConnection>
  /** A message came, on the link that is ready or about to be. */
  receive: MessageListener['receive']
  /** The state has changed. The connector is done with its own part by then, so anything may be called. */
  moved(move: Move): void
}

/** Milliseconds of being ready after which a server counts as sound again and the delays start over. */
const STABLE = 10_000

/** Milliseconds within which the next try comes while the browser says that there is no network. It may be wrong. */
const OFFLINE_WAIT = 60_000

/** Milliseconds that a server may ask to wait; it may be wrong. */
const LONGEST_RETRY = 300_000

/** Tokens that the server may refuse in a row before the first `ready`: the next would fare no better. */
const REFUSED_TOKENS = 3

/** Options of a {@link Connector}. */
export interface ConnectorOptions {
  /** Whether to try again at all. */
  readonly reconnect: boolean
  /** Whether to wait for {@link Connector.resume} before the first try. */
  readonly lazy: boolean
  /** The application's own token, if it has one. */
  readonly token: unknown
  /** What gives the URL of a connection without a token, if it has one. */
  readonly url: unknown
  /** How often that may fail, or be refused, in a row before the first `ready`. */
  readonly tokenAttempts: number
}

/** Keeps one link ready: tries, waits, tries again. At most one link, one try or one wait at a time. */
export class Connector {
  readonly #owner: ConnectorOwner
  readonly #options: ConnectorOptions
  readonly #backoff = new Backoff()
  #state: ConnectionState
  #link: MessageConnection | undefined
  #attempt: AbortController | undefined
  #stopTimer = () => {}
  #wasReady = false
  /** The last link's authorization was over: a refused token is final again. */
  #isOver = false
  #refusedTokens = 0
  /** Tries since the socket was last ready. */
  #tries = 0
  #error: RpcError | undefined
  #retryAt: number | undefined

  constructor(options: ConnectorOptions, owner: ConnectorOwner) {
    this.#options = options
    this.#owner = owner
    this.#state = options.lazy ? 'suspended' : 'connecting'
  }

  /** What the socket does now: an object of its own for each call. */
  get status(): SocketStatus {
    const retryAt = this.#retryAt
    const delay = retryAt && Math.max(0, retryAt - Date.now())
    return { state: this.#state, attempt: this.#tries, error: this.#error, retryAt, delay }
  }

  /** The link that is ready. */
  get link(): MessageConnection | undefined {
    return this.#link
  }

  /** Makes the first try, unless it is lazy. Called once. */
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
      // It may have been aborted since its last step.
      (link) => (signal.aborted ? link.close() : this.#use(link, receive)),
      (error: unknown) => signal.aborted || this.#failed(asRpcError(error)),
    )
  }

  /** Tries now instead of later. Does nothing unless the next try is being waited for. */
  retry(): void {
    if (this.#state !== 'waiting') return
    this.#stopTimer()
    this.#move('retry')
  }

  /** Closes what is open, and wants nothing until {@link resume}. */
  suspend(): void {
    this.#stop('suspend', new RpcError('connection_lost', SUSPENDED, { reason: 'suspended' }))
  }

  /** Tries now, after {@link suspend}. */
  resume(): void {
    this.#move('resume')
  }

  /** The browser says that there is no network: the next try comes later, or with {@link retry}. */
  pause(): void {
    if (this.#state === 'waiting') this.#wait(offlineWait())
  }

  /** Closes what is open, and waits for {@link retry}: the page goes away, and may come back. */
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
   * Gives up the link that is ready: it is dead, though the network has not said so.
   * @param isOver whether its authorization is, so that a refused token is final
   */
  drop(error: RpcError, isOver = false): void {
    this.#link?.close()
    this.#lost(error, false, isOver)
  }

  /** Ends everything for good, in any state. Resolves when the transport is closed, after 2 s at the latest. */
  async end(): Promise<void> {
    const link = this.#link
    this.#stop('end')
    if (link)
      await Promise.race([
        link.whenClosed,
        new Promise<void>((resolve) => startTimeout(CLOSE_TIMEOUT, resolve)),
      ])
  }

  /** Closes what is open. Does nothing where the event has no meaning. */
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

  /** After a failure: waits for the next try, or gives up. @param isAway whether the wait is for {@link retry} only */
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
    // A program that lives by its socket must not end because its server is away for a moment.
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

/** Milliseconds that the server asks many clients to wait: the backoff is added. */
function retryAfterOf({ data }: RpcError): number {
  return Math.max(Math.min(Object(data).retryAfter, LONGEST_RETRY), 0) || 0
}

function closeCodeOf(error: RpcError): number {
  const { code } = (error.data ?? {}) as { code?: unknown }
  return typeof code === 'number' ? code : 0
}
