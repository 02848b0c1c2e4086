import { TimeoutScheduler } from '@token-socket/protocol'
import { isMissing, type SessionRecord, type SessionStore } from './session-store.js'

/** Dependencies of {@link SessionEnds}. */
export interface SessionEndsOwner {
  /** Reads from the store itself, not through the watched methods. */
  get: SessionStore['get']
  /** Milliseconds that a session lasts if its cookie has no end; `undefined` if not known. */
  readonly ttl: number | undefined
  /** Sessions that are watched at once. */
  readonly sessions: number
  /** Called for each session that has ended. It does not reject. */
  ended(sid: string): Promise<void>
  failed(cause: unknown): void
}

/**
 * Milliseconds after a session's end in which stores may still have it, and until a failed check is
 * repeated.
 */
const SLACK = 1000

/** Milliseconds that the store may take for one session. Then the check is repeated. */
const LOOK_TIME = 5000

/** Milliseconds between two checks of a session whose end the store does not report. */
const CHECK_INTERVAL = 60_000

/** Sessions that are read from the store at once. */
const AT_ONCE = 32

/**
 * Detects sessions that end without `destroy`: their cookie has expired, and no request has touched
 * them. There is one timer for all. The store decides, because other nodes touch sessions too.
 */
export class SessionEnds {
  readonly #owner: SessionEndsOwner
  /** The application's compared value, by session; the session used last is the last. */
  readonly #watched = new Map<string, string | undefined>()
  readonly #ends = new TimeoutScheduler<string>((sid) => this.#look(sid))
  readonly #waiting: string[] = []
  #looking = 0
  #isFull = false

  constructor(owner: SessionEndsOwner) {
    this.#owner = owner
  }

  /** How many sessions are watched. */
  get size(): number {
    return this.#watched.size
  }

  /** Returns the last value of {@link note}. @default undefined */
  noted(sid: string): string | undefined {
    return this.#watched.get(sid)
  }

  /**
   * A request has used a session.
   * @param value the application's compared value.
   * @default as before
   */
  note(sid: string, session: SessionRecord, value = this.#watched.get(sid)): void {
    this.#put(sid, value)
    this.#ends.set(sid, this.#lifeOf(session))
  }

  /**
   * The application's compared value was read. The session's end stays as it is, because stores may
   * not report it.
   */
  read(sid: string, value: string | undefined): void {
    this.#put(sid, value)
  }

  /** A session has ended, or is no longer watched. */
  delete(sid: string): void {
    this.#watched.delete(sid)
    this.#ends.delete(sid)
  }

  /** Checks whether each session still exists. */
  lookAtAll(): void {
    for (const sid of this.#watched.keys()) this.#ends.set(sid, Number.MIN_VALUE)
  }

  /** Removes all sessions and timers. */
  close(): void {
    this.#watched.clear()
    this.#ends.clear()
    this.#waiting.length = 0
  }

  /** Keeps the sessions used last. */
  #put(sid: string, value: string | undefined): void {
    this.#watched.delete(sid)
    this.#watched.set(sid, value)
    if (this.#watched.size <= this.#owner.sessions) return
    const [oldest = ''] = this.#watched.keys()
    this.delete(oldest)
    if (this.#isFull) return
    this.#isFull = true
    this.#owner.failed(new Error(`more than ${this.#owner.sessions} sessions: the oldest are not watched`))
  }

  /** Returns the milliseconds until it may have ended; `Infinity` if not known. */
  #lifeOf({ cookie }: SessionRecord): number {
    const end = cookie?.expires ? Number(new Date(cookie.expires)) : Number.NaN
    const life = Number.isNaN(end) ? (this.#owner.ttl ?? Number.POSITIVE_INFINITY) : end - Date.now()
    return Math.max(life + SLACK, 1)
  }

  #look(sid: string): void {
    if (this.#looking >= AT_ONCE) return void this.#waiting.push(sid)
    this.#looking += 1
    this.#ask(sid)
      .catch((cause) => {
        if (this.#watched.has(sid)) this.#ends.set(sid, SLACK)
        this.#owner.failed(cause)
      })
      .finally(() => {
        this.#looking -= 1
        const next = this.#waiting.pop()
        if (next !== undefined) this.#look(next)
      })
  }

  async #ask(sid: string): Promise<void> {
    if (!this.#watched.has(sid)) return
    const value = this.#watched.get(sid)
    const session = await this.#read(sid)
    if (!this.#watched.has(sid)) return
    if (session) return this.#again(sid, session, value)
    this.delete(sid)
    await this.#owner.ended(sid)
  }

  /** @throws Error if the store takes more than 5 s */
  #read(sid: string): Promise<SessionRecord | null | undefined> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`the session store has not answered within ${LOOK_TIME} ms`))
      const timer = setTimeout(late, LOOK_TIME)
      timer.unref?.()
      const settle = (run: () => void) => {
        clearTimeout(timer)
        run()
      }
      try {
        this.#owner.get(sid, (error, found) =>
          settle(() => {
            if (error && !isMissing(error)) reject(error)
            else resolve(error ? undefined : found)
          }),
        )
      } catch (cause) {
        settle(() => reject(cause))
      }
    })
  }

  /** Another node has extended it, and not all stores report by how much. */
  #again(sid: string, session: SessionRecord, value: string | undefined): void {
    this.note(sid, session, value)
    if (this.#lifeOf(session) > SLACK) return
    const life = session.cookie?.originalMaxAge ?? this.#owner.ttl ?? 0
    this.#ends.set(sid, Math.min(Math.max(SLACK, life / 10), CHECK_INTERVAL))
  }
}
