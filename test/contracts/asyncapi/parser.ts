/** The parser of AsyncAPI, which knows whether a document is valid. */
import { createRequire } from 'node:module'

interface Diagnostic {
  readonly severity: number
  readonly code: string | number
  readonly message: string
  readonly path: readonly (string | number)[]
}

interface ParserModule {
  readonly Parser: new () => {
    parse(text: string): Promise<{ readonly document?: unknown; readonly diagnostics: readonly Diagnostic[] }>
  }
}

/** The version of AsyncAPI that a document names is no problem of it. */
const ACCEPTED = new Set<string | number>(['asyncapi-latest-version'])

/** What is wrong with a document, or advised against, a line for each. */
export async function problemsOf(document: unknown): Promise<readonly string[]> {
  // Its types need those of packages that are not installed.
  const { Parser }: ParserModule = createRequire(import.meta.url)('@asyncapi/parser')
  const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document))
  const problems = diagnostics.filter(({ code }) => !ACCEPTED.has(code))
  const lines = problems.map(({ code, message, path }) => `${path.join('.')}: ${message} (${code})`)
  return parsed || lines.length > 0 ? lines : ['it is no document']
}
