import { ERRORS, encodeError, type Outcome, wireError } from '@token-socket/protocol'

/** A client's call that has timed out. */
export interface TimedOutCall {
  /** The function's name. */
  readonly name: string
  /** Milliseconds that the call had. */
  readonly limit: number
  /** Milliseconds that its caller asked for, 0 for no limit. @default none */
  readonly asked: number | undefined
  /** Whether the answer may have a hint for developers. */
  readonly givesHints: boolean
}

/** Whether the call was answered because of its time-out, and not with an error of its function. */
export function isTimeout(outcome: Outcome, name: string): boolean {
  if (!('code' in outcome) || outcome.code !== 'timeout') return false
  return (outcome.about as { readonly function?: unknown } | undefined)?.function === name
}

/** Makes the answer to a call that has timed out: its time-out, and where to allow more. */
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
