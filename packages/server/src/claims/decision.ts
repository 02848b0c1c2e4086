/** A decision about a permission: allowed, refused explicitly, or undecided. */
export type Decision = boolean | undefined

/**
 * Merges decisions: one explicit `false` beats any `true`. Returns `undefined` if all are
 * undecided.
 */
export function mergeDecisions(verdicts: readonly Decision[]): Decision {
  if (verdicts.includes(false)) return false
  return verdicts.includes(true) ? true : undefined
}
