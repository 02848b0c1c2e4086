/** Reads and writes `docs/SUPPORT.md`: a table for each group, a line for each row. */
import type { Result } from './play.js'
import { GROUPS, type Row } from './row.js'

/** What the document knows of a row: the note is the row's own. */
export type Results = ReadonlyMap<string, Result>

const HEAD = ['What', 'Version', 'Result', 'What to know']

/** Which line of the document is a row's. */
export function keyOf({ group, name }: Pick<Row, 'group' | 'name'>): string {
  return `${group}: ${name}`
}

/** The document's text. A row without a result is written as not run. */
export function writeDocument(rows: readonly Row[], results: Results): string {
  const parts = GROUPS.map((group) => groupTable(group, rows, results)).filter((part) => part !== '')
  return [INTRODUCTION, ...parts].join('\n')
}

/** The results that a document holds. */
export function readDocument(text: string): Results {
  const results = new Map<string, Result>()
  let group = ''
  for (const line of text.split('\n')) {
    const [, heading] = /^## (.+)$/.exec(line) ?? []
    if (heading !== undefined) group = heading
    const [name, version, result] = cellsOf(line)
    if (name === undefined || result === undefined || name === HEAD[0] || /^-+$/.test(name)) continue
    results.set(`${group}: ${name}`, { version: version ?? '', ...readResult(result) })
  }
  return results
}

function groupTable(group: string, rows: readonly Row[], results: Results): string {
  const own = rows.filter((row) => row.group === group)
  if (own.length === 0) return ''
  const lines = own.map((row) => {
    const result = results.get(keyOf(row)) ?? NEVER_RUN
    return [row.name, result.version, writeResult(result), row.note ?? '']
  })
  return [`## ${group}\n`, line(HEAD), line(HEAD.map(() => '---')), ...lines.map(line), ''].join('\n')
}

/** What the document says of a row without a result. */
export const NEVER_RUN: Result = { result: 'not run', version: '', message: 'it has not run yet' }

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`
}

function cellsOf(text: string): readonly string[] {
  if (!text.startsWith('| ')) return []
  const cells = text
    .slice(2)
    .split(/(?<!\\)\|/)
    .slice(0, -1)
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'))
}

function writeResult({ result, message }: Result): string {
  if (message === undefined) return result
  return result === 'not run' ? `not run: ${message}` : `${result}: \`${message.replaceAll('`', '’')}\``
}

function readResult(text: string): Pick<Result, 'result' | 'message'> {
  const [, result = '', message] = /^(works|refused|failed|not run)(?:: `?(.*?)`?)?$/.exec(text) ?? []
  const known = result as Result['result']
  return message === undefined ? { result: known } : { result: known, message }
}

const INTRODUCTION = `# What it runs with

\`npm run matrix\` writes this page. For each line it makes an empty folder, and installs the packed packages and
those of the line with npm. Then it starts a real server and a real client: token route, connect, call, publish, close, end.
\`npm run matrix -- --only text\` runs the lines whose names or groups hold a text; \`--list\` names them all.
\`npm run matrix -- --tests node22\` runs this repository's own unit and end-to-end tests under another runtime.

- **works**: the exchange came to its end, and neither side left anything open.
- **refused**: it is not supported, and the message beside it is what a developer sees.
- **not run**: the machine that wrote this page lacks what the line needs.
`
