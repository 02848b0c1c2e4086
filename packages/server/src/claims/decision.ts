/** What is said about a permission: yes, an explicit no, or nothing. */
export type Verdict = boolean | undefined

/** What several say together: one explicit `false` beats any `true`; `undefined` where none says anything. */
export function mergeVerdicts(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes(false)) return false
  return verdicts.includes(true) ? true : undefined
}
