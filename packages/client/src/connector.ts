import { RpcError, shouldReconnect, startTimer } from '@token-socket/protocol'
import { lossOf } from './attempt.js'
import { Backoff } from './backoff.js'
import { asRpcError } from './callback.js'
import type { Link, LinkListener } from './link.js'
import { CONNECTION_MOVES, type ConnectionEvent, type ConnectionState } from './states.js'
import { isOffline } from './wake.js'

/** Something happened to the socket. */
export interface Move {
  readonly event: ConnectionEvent
  readonly from: ConnectionState
  /** Why, for `fail`, `refuse` and `lose`. */
  readonly error?: RpcError
  /** Milliseconds until the next try, for `fail` and `lose`; without it the try waits for the network. */
  readonly delay?: number
}

/** What a {@link Connector} needs of the socket. */
export interface ConnectorOwner {
  /** One try; see `attempt`. */
  attempt(listener: LinkListener, signal: AbortSignal): Promise<Link>
  /** A message came, on the link that is ready or about to be. */
  receive: LinkListener['receive']
  /** The state has changed. The connector is done with its own part by then, so anything may be called. */
  moved(move: Move): void
}

/** Milliseconds of being ready after which a server counts as sound again and the delays start over. */
const STABLE = 10_000

/** Milliseconds that `end` waits for the transport to close. */
const CLOSE_WAIT = 2000

/** Tokens that the server may refuse in a row before the first `ready`: the next would fare no better. */
const REFUSED_TOKENS = 3

/** How a {@link Connector} goes about it. */
export interface ConnectorOptions {
  /** Whether to try again at all. */
  readonly reconnect: boolean
  /** Whether to wait for {@link Connector.resume} before the first try. */
  readonly lazy: boolean
  /** How often the application's own token may fail, or be refused, in a row before the first `ready`. @default the token route's */
  readonly tokenAttempts?: number | undefined
}

/** Keeps one link ready: tries, waits, tries again. At most one link, one try or one wait at a time. */
export class Connector {
  readonly #owner: ConnectorOwner
  readonly #options: ConnectorOptions
  readonly #backoff = new Backoff()
  #state: ConnectionState
  #link: Link | undefined
  #attempt: AbortController | undefined
  #stopTimer = () => {}
  #wasReady = false
  #refusedTokens = 0

  constructor(options: ConnectorOptions, owner: ConnectorOwner) {
    this.#options = options
    this.#owner = owner
    this.#state = options.lazy ? 'suspended' : 'connecting'
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** The link that is ready. */
  get link(): Link | undefined {
    return this.#link
  }

  /** Makes the first try, unless it is lazy. Called once. */
  start(): void {
    if (this.#state === 'connecting') this.#try()
  }

  #try(): void {
    const attempt = new AbortController()
    this.#attempt = attempt
    const listener: LinkListener = {
      receive: (message, link) => this.#receive(attempt, message, link),
      closed() {},
    }
    this.#owner.attempt(listener, attempt.signal).then(
      (link) => this.#opened(attempt, link),
      (error: unknown) => this.#failed(attempt, asRpcError(error)),
    )
  }

  /** Tries now instead of later. Does nothing unless the next try is being waited for. */
  retry(): void {
    if (this.#state !== 'waiting') return
    this.#stopTimer()
    this.#move({ event: 'retry', from: 'waiting' })
  }

  /** Closes what is open, and wants nothing until {@link resume}. */
  suspend(): void {
    if (!CONNECTION_MOVES[this.#state].suspend) return
    const error = new RpcError('connection_lost', 'The socket was suspended')
    const link = this.#link
    this.#attempt?.abort(error)
    this.#link = undefined
    this.#stopTimer()
    link?.close()
    this.#move({ event: 'suspend', from: this.#state, error })
  }

  /** Tries now, after {@link suspend}. */
  resume(): void {
    this.#move({ event: 'resume', from: this.#state })
  }

  /** Stops waiting for the time of the next try: it waits for {@link retry} instead. */
  pause(): void {
    if (this.#state === 'waiting') this.#stopTimer()
  }

  /** Closes what is open, and waits for {@link retry}: the page goes away, and may come back. */
  leave(): void {
    this.pause()
    const error = new RpcError('connection_lost', 'The page went away')
    const link = this.#link
    if (this.#state === 'connecting') {
      this.#attempt?.abort(error)
      this.#goOn('fail', error, true)
    } else if (link) {
      link.close()
      this.#lost(error, true)
    }
  }

  /** Gives up the link that is ready: it is dead, though the network has not said so. */
  drop(error: RpcError): void {
    this.#link?.close()
    this.#lost(error)
  }

  /** Ends everything for good, in any state. Resolves when the transport is closed, after 2 s at the latest. */
  async end(): Promise<void> {
    const link = this.#link
    if (this.#state === 'ended') return
    this.#attempt?.abort(new RpcError('ended'))
    this.#link = undefined
    this.#stopTimer()
    link?.close()
    this.#move({ event: 'end', from: this.#state })
    if (link) await Promise.race([link.over, new Promise<void>((resolve) => startTimer(CLOSE_WAIT, resolve))])
  }

  #receive(attempt: AbortController, ...args: Parameters<LinkListener['receive']>): void {
    if (this.#attempt === attempt && !attempt.signal.aborted) this.#owner.receive(...args)
  }

  #opened(attempt: AbortController, link: Link): void {
    // It may have been aborted since its last step.
    if (attempt.signal.aborted) link.close()
    else this.#use(attempt, link)
  }

  #use(attempt: AbortController, link: Link): void {
    this.#link = link
    this.#wasReady = true
    this.#refusedTokens = 0
    this.#stopTimer = startTimer(STABLE, () => this.#backoff.reset())
    this.#move({ event: 'open', from: 'connecting' })
    link.listen({
      receive: (message) => this.#receive(attempt, message, link),
      closed: (code, reason) => this.#link === link && this.#lost(lossOf(code, reason)),
    })
  }

  #failed(attempt: AbortController, error: RpcError): void {
    if (attempt.signal.aborted) return
    const isOfToken =
      error.code === 'invalid_token' || (this.#options.tokenAttempts && error.code === 'token_failed')
    this.#refusedTokens = isOfToken ? this.#refusedTokens + 1 : 0
    this.#goOn('fail', error)
  }

  #lost(error: RpcError, isAway = isOffline()): void {
    if (!this.#link) return
    this.#link = undefined
    this.#stopTimer()
    this.#goOn('lose', error, isAway)
  }

  #isFinal(error: RpcError): boolean {
    const { reconnect, tokenAttempts = REFUSED_TOKENS } = this.#options
    if (!reconnect || !shouldReconnect(closeCodeOf(error))) return true
    return !this.#wasReady && (error.code === 'token_refused' || this.#refusedTokens >= tokenAttempts)
  }

  /** After a failure: waits for the next try, or gives up. @param isAway whether the wait is for {@link retry} only */
  #goOn(event: 'fail' | 'lose', error: RpcError, isAway = isOffline()): void {
    const from = this.#state
    if (this.#isFinal(error)) {
      this.#move({ event: 'refuse', from, error })
    } else if (isAway) {
      this.#move({ event, from, error })
    } else {
      const delay = this.#backoff.next()
      // A program that lives by its socket must not end because its server is away for a moment.
      this.#stopTimer = startTimer(delay, () => this.retry(), true)
      this.#move({ event, from, error, delay })
    }
  }

  #move(move: Move): void {
    const next = CONNECTION_MOVES[this.#state][move.event]
    if (!next) return
    this.#state = next
    if (next === 'connecting') this.#try()
    this.#owner.moved(move)
  }
}

function closeCodeOf(error: RpcError): number {
  const { code } = (error.data ?? {}) as { code?: unknown }
  return typeof code === 'number' ? code : 0
}
