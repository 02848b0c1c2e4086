import { subjectMatcher } from '../claims/subjects.js'
import { RunningTasks } from '../runtime/running-tasks.js'
import type { ServerSocket } from '../socket/server-socket.js'

/** Selects sockets that are signing in. */
export interface JoiningMatcher {
  /** Returns whether a socket is selected as it is now. */
  matches(socket: ServerSocket): boolean
  /** Returns whether a socket may be selected later. */
  mayMatch(socket: ServerSocket): boolean
}

/** Selects sockets: one by its id, or all of a user, by one of the user's names. */
export type SocketTarget = { readonly sid: string } | { readonly subject: string }

/** Returns a function that matches the selected sockets. */
export function targetMatcher(target: SocketTarget): (socket: ServerSocket) => boolean {
  return 'sid' in target ? ({ sid }) => sid === target.sid : subjectMatcher(target.subject)
}

/** How sockets are ended. */
export interface EndOptions {
  /** `false` tells the clients not to reconnect. */
  readonly reconnect: boolean
  /** The reason for closing them. @default depends on `reconnect` */
  readonly why?: 'revoked' | undefined
}

/** A connection that has sent its token and is not authenticated yet. */
export class JoiningSocket {
  #socket: ServerSocket | undefined
  /** Users that were cut off before this connection's user was known. */
  readonly #ended = new Map<string, EndOptions>()
  /** Matchers that ended sockets since this connection began: it may match later. */
  #matchers: (readonly [JoiningMatcher, EndOptions])[] | undefined
  /** Functions to run when it is authenticated. */
  #acts: ((socket: ServerSocket) => void)[] | undefined
  #isEnded = false
  #isAdmitted = false

  /** Whether its user was cut off: it must not be authenticated. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Sets its user. Ends it if that user was cut off since it began. */
  identify(socket: ServerSocket): void {
    this.#socket = socket
    for (const [subject, options] of this.#ended) this.end({ subject }, options)
    this.check()
  }

  /**
   * Ends it if it now matches what ended sockets since it began: listeners may have changed its
   * data.
   */
  check(): void {
    for (const [matcher, options] of this.#matchers ?? []) this.#endIf(matcher, options)
  }

  /** From now on it is one of the server's sockets, which end it. */
  admit(): void {
    this.#isAdmitted = true
  }

  /**
   * Runs the functions of {@link later}, in order. It is authenticated, and its automatic
   * subscriptions have begun.
   */
  settle(socket: ServerSocket): void {
    for (const act of this.#acts ?? []) if (!socket.isClosed) act(socket)
    this.#acts = undefined
  }

  /** Runs a function when it is authenticated, if it is selected then. @param act does not throw */
  later(matcher: JoiningMatcher, act: (socket: ServerSocket) => void): void {
    if (this.#socket && !matcher.mayMatch(this.#socket)) return
    this.#acts ??= []
    this.#acts.push((socket) => matcher.matches(socket) && act(socket))
  }

  /** Ends it if it is selected, now or as soon as it is. @returns whether it was ended now */
  endWhere(matcher: JoiningMatcher, options: EndOptions): boolean {
    if (this.#socket && !matcher.mayMatch(this.#socket)) return false
    this.#matchers ??= []
    this.#matchers.push([matcher, options])
    return this.#endIf(matcher, options)
  }

  /** Ends it if it is selected. @returns whether it was ended now */
  end(target: SocketTarget, options: EndOptions): boolean {
    if (!this.#socket && 'subject' in target) this.#ended.set(target.subject, options)
    return this.#endIf({ matches: targetMatcher(target) }, options)
  }

  #endIf({ matches }: Pick<JoiningMatcher, 'matches'>, options: EndOptions): boolean {
    if (!this.#socket || this.#isAdmitted || this.#isEnded || !matches(this.#socket)) return false
    this.#isEnded = true
    if (options.why) this.#socket.closeFor(options.why)
    else this.#socket.end({ reconnect: options.reconnect })
    return true
  }
}

/**
 * The connections whose token is being checked, or whose `authentication` listeners decide. Cutting
 * a user off ends these, too, however early they sent their token.
 */
export class JoiningSockets extends RunningTasks<JoiningSocket> {
  constructor() {
    super(() => new JoiningSocket())
  }

  /** Ends the selected ones, now or once their user is known. @returns how many were ended now */
  end(target: SocketTarget, options: EndOptions): number {
    return this.states.filter((joining) => joining.end(target, options)).length
  }

  /**
   * Ends those that a matcher selects, now or as soon as it does. @returns how many were ended now
   */
  endWhere(matcher: JoiningMatcher, options: EndOptions): number {
    return this.states.filter((joining) => joining.endWhere(matcher, options)).length
  }

  /**
   * Runs a function on those that a matcher selects, when they are authenticated. @param act does
   * not throw
   */
  later(matcher: JoiningMatcher, act: (socket: ServerSocket) => void): void {
    for (const joining of this.states) joining.later(matcher, act)
  }
}
