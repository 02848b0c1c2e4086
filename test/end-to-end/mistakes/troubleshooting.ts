/** The rows of docs/TROUBLESHOOTING.md that quote how a message begins. */
import { readFile } from 'node:fs/promises'

/** One row. */
export interface Trouble {
  /** The heading above its table. */
  readonly section: string
  /** What the message has, in order: its text without what stands for names and paths. */
  readonly parts: readonly string[]
}

const document = await readFile(new URL('../../../docs/TROUBLESHOOTING.md', import.meta.url), 'utf8')

/** What stands for the names and paths of an application. */
const NAMES = /"name"|channels\["a"\]\.subscibe|: data\.\S+ is a Map|data\.path/

/** All of them. */
export const TROUBLES: readonly Trouble[] = document.split(/^#+ /m).flatMap((text) => {
  const [section = '', ...lines] = text.split('\n')
  const rows = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1))
  const column = (rows[0] ?? []).findIndex((cell) => cell.includes('begins with'))
  if (column < 0) return []
  return rows.slice(2).map((cells) => ({ section, parts: quoteIn(cells[column] ?? '').split(NAMES) }))
})

function quoteIn(cell: string): string {
  const [, , text = ''] = /(`+) ?(.*?) ?\1/.exec(cell) ?? []
  return text
}
