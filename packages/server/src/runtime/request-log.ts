import { type AnswerForm, asRpcError, type CallEnd, ERRORS, type WireError } from '@token-socket/protocol'
import type { Logger } from './logger.js'
import { shorten } from './shorten.js'
import type { ThrottledLog } from './throttled-log.js'

/** The line about a middleware that does not continue in time. */
export const MIDDLEWARE_LATE = 'a middleware did not go on in time: the request is refused'

/**
 * The line about a function that answers twice. A wrapped or mocked function often declares no
 * callback, so that its return value is the first answer.
 */
const TWICE = {
  reason: 'it called back twice, or called back after it had answered by what it returned',
  remedy:
    'answer once; a function that answers by its callback has to declare it (function.length), not take it by ...args or after a default',
} as const

/** The caller and the function of a call. */
export type LoggedCall = Pick<LoggedRequest, 'sid' | 'uid'> & {
  readonly function: string
  /** Milliseconds that the call had. @default not logged */
  readonly limit?: number | undefined
  /** Milliseconds that its caller asked for. @default none */
  readonly asked?: number | undefined
}

/** The caller and the subject of a request. */
export interface LoggedRequest {
  readonly sid: string
  readonly uid: string | undefined
  /** The type of the request, such as `call` or `subscribe`; `notify` of a notification. */
  readonly type: string
  /** Of a call. */
  readonly function?: string
  /** Of a request about a channel. */
  readonly channel?: string
  /** What refused it. @default unknown */
  readonly by?: string
  /** Milliseconds until the answer. @default not measured */
  readonly ms?: number
}

/**
 * Logs how requests of clients end: each refusal as a `debug` line, a reached limit as an `info`
 * line once a minute, and with the option `debug` each answer. If `debug` lines are not written, it
 * creates nothing for them.
 */
export class RequestLog {
  readonly #logger: Logger
  readonly #log: Pick<ThrottledLog, 'write'>
  /** Whether successful answers have lines as well. */
  readonly isVerbose: boolean

  constructor(logger: Logger, log: Pick<ThrottledLog, 'write'>, isVerbose: boolean) {
    this.#logger = logger
    this.#log = log
    this.isVerbose = isVerbose
  }

  /** Whether a request with this outcome has a line. */
  writes(error: WireError | undefined): boolean {
    return isLimit(error) || this.#logger.isLevelEnabled?.('debug') !== false
  }

  /**
   * A function has not answered within the time of its calls; or a middleware has not continued,
   * maybe for a name that a client made up.
   */
  unanswered(call: LoggedCall, form: AnswerForm): void {
    if (form === 'around') {
      const details = { middleware: 'call', ...shortenedCall(call) }
      return this.#log.write('late middleware call', ['warn', details, MIDDLEWARE_LATE])
    }
    const reason = form === 'callback' ? 'declared callback, never called it' : 'its promise has not settled'
    const details = { ...shortenedCall(call), reason }
    this.#log.write('unanswered', ['warn', details, 'a function did not answer in time'], call.function)
  }

  /**
   * A function answered after its call had ended, or twice. @param end how the call had ended;
   * `undefined` by an answer
   */
  late(call: LoggedCall, end: CallEnd | undefined): void {
    const details = { ...shortenedCall(call), ended: end ?? 'answered', ...(end === undefined && TWICE) }
    if (end === 'aborted' || end === 'connection_lost')
      return this.#logger.debug(details, 'a function answered a call that was given up')
    const line = end ? 'a function answered after its call had timed out' : 'a function answered twice'
    this.#log.write(`late ${end}`, ['warn', details, line], call.function)
  }

  /** With the option `debug`: a line when a call of the server to a client has ended, with its duration. */
  watch(call: LoggedRequest, answer: Promise<unknown>): void {
    const begun = performance.now()
    const line = () => ({ ...call, ...shortened(call), ms: Math.round(performance.now() - begun) })
    answer.then(
      () => this.#logger.debug(line(), 'a call to a client was answered'),
      (error: unknown) => {
        const { code, message } = asRpcError(error)
        this.#logger.debug({ ...line(), code, reason: shorten(message) }, 'a call to a client failed')
      },
    )
  }

  /** With the option `debug`: a line when a client was notified. */
  notified(notification: LoggedRequest): void {
    this.#logger.debug({ ...notification, ...shortened(notification) }, 'a client was notified')
  }

  /** A call named an unknown function that resembles a known one. */
  misspelt(call: LoggedRequest, nearest: string): void {
    const details = { ...call, ...shortened(call), code: 'not_found', didYouMean: nearest }
    this.#log.write('misspelt function', ['warn', details, 'a client called a function that is not there'])
  }

  /** A request was answered. @param error of a request that failed */
  answered(request: LoggedRequest, error?: WireError): void {
    const details = { ...request, ...shortened(request) }
    if (!error) {
      const line = request.type === 'notify' ? 'a notification was carried out' : 'a request was answered'
      return this.#logger.debug(details, line)
    }
    const { message = error.error } = Object(error.error) as { readonly message?: unknown }
    const reason = shorten(String(message))
    const line = { ...details, code: error.code, reason }
    if (isLimit(error)) this.#log.write(`limit ${error.code}`, ['info', line, 'a limit was reached'])
    else this.#logger.debug(line, 'a request was refused')
  }
}

/** Whether the error is one of the library's own about a limit. */
function isLimit(error: WireError | undefined): boolean {
  return error?.code !== undefined && LIMITS.has(error.code)
}

/** Codes that mean too busy clients, or too low limits. */
const LIMITS: ReadonlySet<string> = new Set(
  Object.keys(ERRORS).filter((code) => code.startsWith('too_') || code === 'rate_limited'),
)

function shortenedCall(call: LoggedCall): LoggedCall {
  return { ...call, function: shorten(call.function) }
}

function shortened({ function: name, channel }: LoggedRequest): Partial<LoggedRequest> {
  return {
    ...(name !== undefined && { function: shorten(name) }),
    ...(channel !== undefined && { channel: shorten(channel) }),
  }
}
