/** What is said about a permission: yes, an explicit no, or nothing. */
export type Decision = boolean | undefined

/** What several say together: one explicit `false` beats any `true`; `undefined` where none says anything. */
export function mergeDecisions(verdicts: readonly Decision[]): Decision {
  if (verdicts.includes(false)) return false
  return verdicts.includes(true) ? true : undefined
}
