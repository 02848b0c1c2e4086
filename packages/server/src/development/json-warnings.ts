import { findJsonLosses } from '@token-socket/protocol'
import type { Logger } from '../runtime/logger.js'
import { shorten } from '../runtime/shorten.js'

/** The kind of data, as warnings name it. */
const SENT = {
  answer: 'an answer',
  call: 'the argument of a call',
  notification: 'a notification',
  publication: 'a publication',
  broadcast: 'a broadcast',
  message: 'a message to a client',
  event: 'an event of the cluster',
  authentication: 'what `authentication` gave',
  connectAuthentication: 'what `connectAuthentication` gave',
} as const

/** The kinds of data that the application sends. */
export type SentKind = keyof typeof SENT

/** The most warnings: the application may have any number of channels. */
const WARNINGS = 200

/**
 * Warns, outside production, of values that JSON changes or drops without an error, such as a `Map`
 * or `NaN`: once for each function or channel and each type. Production creates none of these, and
 * checks nothing.
 */
export class JsonWarnings {
  readonly #logger: Pick<Logger, 'warn'>
  readonly #said = new Set<string>()

  constructor(logger: Pick<Logger, 'warn'>) {
    this.#logger = logger
  }

  /**
   * Checks data that is about to be sent.
   * @param subject the function or the channel; `undefined` where there is only one
   */
  check(kind: SentKind, subject: string, data: unknown): void {
    if (this.#said.size >= WARNINGS) return
    for (const { path: whole, type, remedy } of findJsonLosses(data)) {
      const path = shorten(whole)
      const key = `${kind} ${subject} ${type}`
      if (this.#said.has(key)) continue
      this.#said.add(key)
      const details = { ...named(kind, shorten(subject)), path, type, remedy }
      this.#logger.warn(details, `JSON changes ${SENT[kind]}: ${path} is ${type}`)
    }
  }
}

function named(kind: SentKind, subject: string): object {
  if (kind === 'broadcast' || kind === 'message') return {}
  if (kind === 'authentication') return { option: 'authentication' }
  if (kind === 'event') return { event: subject }
  return kind === 'publication' ? { channel: subject } : { function: subject }
}
