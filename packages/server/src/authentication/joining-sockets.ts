import { subjectMatcher } from '../claims/subjects.js'
import { RunningTasks } from '../runtime/running-tasks.js'
import type { ServerSocket } from '../socket/server-socket.js'

/** Decides about sockets that are signing in. */
export interface JoiningMatcher {
  /** Whether a socket is meant, as it is now. */
  matches(socket: ServerSocket): boolean
  /** Whether a socket may be meant later. */
  mayMatch(socket: ServerSocket): boolean
}

/** Which sockets are meant: one by its id, or all of a user, by one of the user's names. */
export type SocketTarget = { readonly sid: string } | { readonly subject: string }

/** Tells which sockets are meant. */
export function targetMatcher(target: SocketTarget): (socket: ServerSocket) => boolean {
  return 'sid' in target ? ({ sid }) => sid === target.sid : subjectMatcher(target.subject)
}

/** How sockets are ended. */
export interface EndOptions {
  /** `false` tells the clients to stay away. */
  readonly reconnect: boolean
  /** What they are closed for. @default as `reconnect` says */
  readonly why?: 'revoked' | undefined
}

/** One connection that has brought its token and is not let in yet. */
export class JoiningSocket {
  #socket: ServerSocket | undefined
  /** Users that were cut off before it was known whose token it is. */
  readonly #ended = new Map<string, EndOptions>()
  /** Matchers that ended sockets since it began: it may meet them later. */
  #matchers: (readonly [JoiningMatcher, EndOptions])[] | undefined
  /** What is done once it is let in. */
  #acts: ((socket: ServerSocket) => void)[] | undefined
  #isEnded = false
  #isAdmitted = false

  /** Whether its user was cut off: it must not be let in. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** It is known whose it is. Ends it if that user was cut off since it began. */
  identify(socket: ServerSocket): void {
    this.#socket = socket
    for (const [subject, options] of this.#ended) this.end({ subject }, options)
    this.check()
  }

  /** Ends it if it meets by now what ended sockets since it began: listeners may have changed its data. */
  check(): void {
    for (const [matcher, options] of this.#matchers ?? []) this.#endIf(matcher, options)
  }

  /** It is among the sockets of the server from now on, and is ended there. */
  admit(): void {
    this.#isAdmitted = true
  }

  /** It was let in, and its automatic subscriptions have begun: does what was asked meanwhile, in order. */
  settle(socket: ServerSocket): void {
    for (const act of this.#acts ?? []) if (!socket.isClosed) act(socket)
    this.#acts = undefined
  }

  /** Does something with it once it is let in, if it is meant then. @param act does not throw */
  later(matcher: JoiningMatcher, act: (socket: ServerSocket) => void): void {
    if (this.#socket && !matcher.mayMatch(this.#socket)) return
    this.#acts ??= []
    this.#acts.push((socket) => matcher.matches(socket) && act(socket))
  }

  /** Ends it if it is meant, now or as soon as it is. @returns whether it was ended now */
  endWhere(matcher: JoiningMatcher, options: EndOptions): boolean {
    if (this.#socket && !matcher.mayMatch(this.#socket)) return false
    this.#matchers ??= []
    this.#matchers.push([matcher, options])
    return this.#endIf(matcher, options)
  }

  /** Ends it, if it is meant. @returns whether it was ended now */
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
 * The connections whose token is being looked at, or whose `authentication` listeners decide. A user who is cut off is cut off
 * there too, however early they brought their token.
 */
export class JoiningSockets extends RunningTasks<JoiningSocket> {
  constructor() {
    super(() => new JoiningSocket())
  }

  /** Ends those that are meant, now or once it is known whose they are. @returns how many were ended now */
  end(target: SocketTarget, options: EndOptions): number {
    return this.states.filter((joining) => joining.end(target, options)).length
  }

  /** Ends those that a matcher means, now or as soon as it does. @returns how many were ended now */
  endWhere(matcher: JoiningMatcher, options: EndOptions): number {
    return this.states.filter((joining) => joining.endWhere(matcher, options)).length
  }

  /** Does something with those that a matcher means when they are let in. @param act does not throw */
  later(matcher: JoiningMatcher, act: (socket: ServerSocket) => void): void {
    for (const joining of this.states) joining.later(matcher, act)
  }
}
