/**
 * In the place of `error-texts` in scripts whose bytes count: the texts that other ends read, and the one that people
 * meet who have to sign in. Any other error's text is its code, which `docs/ERRORS.md` explains.
 */
const TEXTS: ReadonlyMap<string, string> = new Map([
  ['bad_message', 'Invalid message'],
  ['forbidden', 'Forbidden'],
  ['internal', 'Internal error'],
  ['invalid_token', 'Invalid token'],
  ['not_found', 'Function not found'],
  ['token_refused', 'The token request was refused'],
])

/** What is wrong with a field. @param shape the name of what it has to be */
export function textOfField(field: string, shape = 'wrong'): string {
  return `${field}: ${shape}`
}

/** The text of an error, by its code. */
export function textOf(code: string): string {
  return TEXTS.get(code) ?? code
}

/** The text of an error about a call inside a function: its data says which. */
export function textOfNested(): undefined {}
