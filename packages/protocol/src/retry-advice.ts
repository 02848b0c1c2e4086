/**
 * Whether a failed request may be repeated:
 *
 * - `never`: the same request fails again;
 * - `later`: nothing was done, and the same request may succeed later;
 * - `unknown`: the request may have been carried out. Repeat it only if that does no harm.
 */
export type RetryAdvice = 'never' | 'later' | 'unknown'

/** Codes that pass. Subscriptions try fewer again: a rule or a listener may have refused them. */
const PASSING =
  /^(connection_lost|engine_unavailable|identity_changed|internal|invalid_token|(nested|token|transport|url)_failed|(veto_)?timeout|rate_limited|too_many_.+)$/

/**
 * Codes after which a subscription, or its end, is tried again as it is. Both ends ask this: to
 * repeat these requests does no harm.
 */
export const REPEATABLE = /^(engine_unavailable|timeout|rate_limited|too_many_(calls|messages))$/

/** Milliseconds until a failed subscription is tried again, on average; twice as long each time. */
export const RETRY_DELAY = 1000

/** Codes that say nothing about whether the request was carried out. */
const UNKNOWN = /^(aborted|connection_lost|engine_unavailable|internal|nested_failed|timeout)$/

/** Codes of calls that were not sent, which no sign-in fails with. */
const NOT_SENT = /^(queue_full|shutting_down)$/

/**
 * Whether a sign-in that failed with this code may succeed at the next try. Any other code refuses
 * this user or this page.
 */
export function isPassing(code: string): boolean {
  return PASSING.test(code)
}

/**
 * Returns whether a request that failed with this code may be repeated. An application's own codes
 * are `never`: only the application knows.
 * @example
 * if (retryOf(error.code) === 'later') setTimeout(() => socket.publish('news', data), 1000)
 */
export function retryOf(code: string): RetryAdvice {
  if (UNKNOWN.test(code)) return 'unknown'
  return isPassing(code) || NOT_SENT.test(code) ? 'later' : 'never'
}
