import { createHash } from 'node:crypto'
import { badOption, encodeData } from '@token-socket/protocol'
import { ReplacedSessions } from './replaced-sessions.js'
import { SessionEnds } from './session-ends.js'
import {
  type Completion,
  isMissing,
  type SessionRecord,
  type SessionRequest,
  type SessionStore,
  watchStore,
} from './session-store.js'
import {
  type FailureListener,
  failureListener,
  type SignOutOrder,
  type SignOutSockets,
} from './sign-out-sockets.js'

/** A session's data, by the application's names. */
type SessionFields = Readonly<Record<string, unknown>>

/**
 * Options of {@link expressSession}. `Session` is the type that the application's functions take,
 * such as `SessionData` of express-session.
 */
export interface ExpressSessionOptions<Session = Readonly<Record<string, unknown>>> {
  /**
   * What happens to the sockets of a session that `req.session.regenerate()` replaces. It waits for
   * the answer to that request, for a second at most, so that the client has its new cookie.
   * @default 'revoke': the sockets are closed, and signed-in clients reconnect
   */
  readonly onregenerate?: SignOutOrder | undefined
  /**
   * Returns the data that decides about a session's rights, such as its roles. When a request saves
   * a session with other data, compared as JSON, the clients of the session fetch new tokens. One
   * that has sent none within 30 s is closed.
   * @default saving a session does nothing to its sockets
   */
  readonly watch?: ((session: Session) => unknown) | undefined
  /**
   * Returns whether a session's user is signed in. When a request saves or regenerates a session
   * without such a user, its sockets are closed at once, instead of being asked for new tokens.
   * @default not known
   */
  readonly isSignedIn?: ((session: Session) => unknown) | undefined
  /**
   * Milliseconds for which the store keeps sessions whose cookie has no end.
   * @default not known: they have no end
   */
  readonly ttl?: number | undefined
  /** Sessions whose end this node watches: those used last, if there are more. @default 100000 */
  readonly sessions?: number | undefined
  /**
   * Receives failures of the store and of the engine.
   * @default the log and the `error` event of the server
   */
  readonly onerror?: FailureListener | undefined
}

/** Milliseconds that the answer for a regenerated session may take. */
const ANSWER_TIME = 1000

/**
 * Closes sockets on all nodes when their session ends: it is destroyed, regenerated, or its cookie
 * expires. Each node calls it with its own server and store. The store works as before.
 * @param store the store that express-session was given
 * @returns a function that undoes it
 * @throws RpcError `bad_option`
 */
export function expressSession<Session = Readonly<Record<string, unknown>>>(
  sockets: SignOutSockets,
  store: SessionStore,
  options: ExpressSessionOptions<Session> = {},
): () => void {
  checkArguments(store, options as ExpressSessionOptions)
  const watcher = new SessionWatcher(sockets, store, options as ExpressSessionOptions)
  return watcher.watch()
}

/** Watches the changes of sessions by requests. */
class SessionWatcher {
  readonly #sockets: SignOutSockets
  readonly #store: SessionStore
  readonly #options: ExpressSessionOptions
  readonly #ends: SessionEnds
  readonly #failed: FailureListener
  readonly #replaced = new ReplacedSessions()

  constructor(sockets: SignOutSockets, store: SessionStore, options: ExpressSessionOptions) {
    this.#sockets = sockets
    this.#store = store
    this.#options = options
    this.#failed = failureListener(sockets, 'expressSession', options.onerror)
    const { ttl, sessions = 100_000 } = options
    const get = store.get
    this.#ends = new SessionEnds({
      get: (...args) => get.apply(store, args),
      ttl,
      sessions,
      ended: (session) => this.#run(() => this.#end(session)),
      failed: this.#failed,
    })
  }

  watch(): () => void {
    const undo = watchStore(this.#store, {
      ...((this.#options.watch || this.#options.isSignedIn) && { get: (args) => this.#got(args) }),
      set: (args) => this.#saved(args, true),
      touch: (args) => this.#saved(args, false),
      destroy: (args) => this.#destroyed(args),
      regenerate: (args) => this.#regenerated(args),
      clear: () => ({ callbackAt: 0, done: (error) => error || this.#ends.lookAtAll() }),
    })
    return () => {
      undo()
      this.#ends.close()
    }
  }

  /** The store may have data that other nodes have saved. */
  #got(args: readonly unknown[]): Completion {
    const [sid] = args as [string]
    const done: Completion['done'] = (error, session) => {
      if (error || !session) return
      this.#isolated(() => this.#ends.read(sid, this.#valueOf(session)))
    }
    return { callbackAt: 1, done }
  }

  #saved(args: readonly unknown[], hasData: boolean): Completion {
    const [sid, session] = args as [string, SessionRecord]
    // Computed now, because the request may change it further.
    const value = hasData ? this.#isolated(() => this.#valueOf(session)) : undefined
    const order = value === undefined || this.#isSignedIn(session) ? 'refresh' : 'revoke'
    const done: Completion['done'] = (error) => {
      if (error) return
      const last = this.#ends.noted(sid)
      this.#isolated(() => this.#ends.note(sid, session, value))
      const isOther = value !== undefined && last !== undefined && value !== last
      if (isOther) void this.#run(() => this.#sockets.cluster[order]({ session: sid }))
    }
    return { callbackAt: 2, done }
  }

  #destroyed(args: readonly unknown[]): Completion {
    const [sid] = args as [string]
    const isReplaced = this.#replaced.take(sid)
    const done: Completion['done'] = (error) => {
      if (error && !isMissing(error)) return
      this.#ends.delete(sid)
      if (!isReplaced) void this.#run(() => this.#sockets.cluster.revoke({ session: sid }))
    }
    return { callbackAt: 1, done }
  }

  #regenerated(args: readonly unknown[]): Completion | undefined {
    const [request] = args as [SessionRequest]
    const { sessionID: sid } = request
    if (typeof sid !== 'string') return undefined
    this.#replaced.add(sid)
    const done: Completion['done'] = (error) => {
      this.#replaced.take(sid)
      if (error) return
      afterAnswer(request, () => {
        const { onregenerate = 'revoke' } = this.#options
        const order = this.#isSignedIn(request.session) ? onregenerate : 'revoke'
        return this.#run(() => this.#sockets.cluster[order]({ session: sid }))
      })
    }
    return { callbackAt: 1, done }
  }

  /** Only sessions with sockets need an entry in the engine. */
  async #end(session: string): Promise<void> {
    const { cluster } = this.#sockets
    try {
      if (await cluster.isConnected({ session })) await cluster.revoke({ session })
    } catch (cause) {
      if ((Object(cause) as { readonly code?: unknown }).code !== 'shutting_down') throw cause
      // The server is closed, and its sockets with it.
      this.#ends.close()
    }
  }

  /** Returns a hash, because the compared data may be large. */
  #valueOf(session: unknown): string | undefined {
    const { watch, isSignedIn } = this.#options
    if (!watch && !isSignedIn) return undefined
    const watched = session as SessionFields
    const json = encodeData([watch?.(watched) ?? null, Boolean(isSignedIn?.(watched))])
    return createHash('sha256').update(json).digest('base64url')
  }

  /**
   * Returns `true` if it is not known. The user of a session for which the function throws does not
   * stay signed in.
   */
  #isSignedIn(session: unknown): boolean {
    const { isSignedIn } = this.#options
    if (!isSignedIn) return true
    return Boolean(session && this.#isolated(() => isSignedIn(session as SessionFields)))
  }

  /** Resolves whatever the result is. */
  async #run(order: () => Promise<unknown>): Promise<void> {
    try {
      await order()
    } catch (cause) {
      this.#failed(cause)
    }
  }

  /** An error of the application's function must not affect the store. */
  #isolated<T>(run: () => T): T | undefined {
    try {
      return run()
    } catch (cause) {
      this.#failed(cause)
      return undefined
    }
  }
}

/** A client that reconnects before it has its new cookie would be refused first. */
function afterAnswer({ res }: SessionRequest, run: () => unknown): void {
  if (!res || res.writableFinished) return void run()
  let isDone = false
  const once = () => {
    if (isDone) return
    isDone = true
    clearTimeout(timer)
    run()
  }
  const timer = setTimeout(once, ANSWER_TIME)
  res.once('close', once)
  res.once('finish', once)
}

function checkArguments(store: unknown, options: ExpressSessionOptions): void {
  const methods = ['get', 'set', 'destroy']
  const has = methods.every((name) => typeof (Object(store) as Record<string, unknown>)[name] === 'function')
  if (!has) throw badOption('store', `a store of express-session, with ${methods.join(', ')}`)
  const { onregenerate = 'revoke', watch, isSignedIn, ttl, sessions } = options
  if (onregenerate !== 'revoke' && onregenerate !== 'refresh')
    throw badOption('onregenerate', "'revoke' or 'refresh'")
  if (watch !== undefined && typeof watch !== 'function') throw badOption('watch', 'a function')
  if (isSignedIn !== undefined && typeof isSignedIn !== 'function')
    throw badOption('isSignedIn', 'a function')
  if (ttl !== undefined && !(Number(ttl) > 0)) throw badOption('ttl', 'a number of milliseconds above 0')
  if (sessions !== undefined && !(Number.isInteger(sessions) && sessions > 0))
    throw badOption('sessions', 'a whole number above 0')
}
