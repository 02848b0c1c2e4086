const PASSING =
  /^(connection_lost|engine_unavailable|identity_changed|internal|invalid_token|(nested|token|transport|url)_failed|(veto_)?timeout|rate_limited|too_many_.+)$/

/**
 * Whether a sign-in that failed with this code may succeed at the next try. Any other code refuses
 * this user or this page.
 */
export function isPassing(code: string): boolean {
  return PASSING.test(code)
}
