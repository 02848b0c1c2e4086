import { ERRORS, encodeError, type Outcome, wireError } from '@token-socket/protocol'

/** A call of a client that has timed out. */
export interface TimedOutCall {
  /** The function's name. */
  readonly name: string
  /** Milliseconds that it had. */
  readonly limit: number
  /** Milliseconds that its caller asked for, 0 for as long as it takes. @default it asked for none */
  readonly asked: number | undefined
  /** Whether the answer may hint at what developers should look at. */
  readonly givesHints: boolean
}

/** Whether a call was answered since its time was over, rather than with an error of its function's. */
export function isTimeout(outcome: Outcome, name: string): boolean {
  if (!('code' in outcome) || outcome.code !== 'timeout') return false
  return (outcome.about as { readonly function?: unknown } | undefined)?.function === name
}

/** The answer to a call that has timed out: how long it had, and where more is allowed. */
export function timeoutOutcome({ name, limit, asked, givesHints }: TimedOutCall): Outcome {
  if (!Number.isFinite(limit)) return wireError('timeout', { function: name })
  const isLess = asked !== undefined && (asked === 0 || asked > limit)
  const what = asked === 0 ? 'no limit' : `${asked} ms`
  const hint = `the client asked for ${what}: see the option \`functions\` of the server`
  const told = isLess && givesHints ? { hint } : {}
  const text = `${ERRORS.timeout}: ${name} (limit ${limit} ms)`
  const message = 'hint' in told ? `${text}: ${hint}` : text
  return encodeError({ message, code: 'timeout', data: { function: name, limit, ...told } })
}
