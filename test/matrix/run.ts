/** `npm run matrix [-- --only text] [--list] [--links]`: see `scripts/matrix.mjs`. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { allRows } from './all-rows.js'
import { play, type Result } from './play.js'
import type { Row } from './row.js'
import { keyOf, NEVER_RUN, type Results, readDocument, writeDocument } from './support-document.js'
import { removeTarballs, root } from './tarballs.js'

const file = join(root, 'docs/SUPPORT.md')
const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [''] },
    list: { type: 'boolean' },
    links: { type: 'boolean' },
    write: { type: 'boolean' },
    from: { type: 'string', multiple: true, default: [file] },
  },
})
const rows = await allRows()
const isMeant = (row: Row) =>
  values.only.some((text) => keyOf(row).toLowerCase().includes(text.toLowerCase()))
const meant = rows.filter(isMeant)
if (values.list) for (const row of meant) console.log(keyOf(row))
else if (values.write) await writeFile(file, writeDocument(rows, await readResults()))
else await runRows()

/** What the documents know. Of two results of a row the later one counts. */
async function readResults(): Promise<Results> {
  const texts = await Promise.all(values.from.map((path) => readFile(path, 'utf8').catch(() => '')))
  const entries = texts.flatMap((text) => [...readDocument(text)])
  return new Map(entries.filter(([, { message }]) => message !== NEVER_RUN.message))
}

async function runRows(): Promise<void> {
  const results = new Map(await readResults())
  if (meant.length === 0) throw new Error('no row has such a name')
  for (const row of meant) {
    const start = performance.now()
    const result = await play(row, values.links ? 'links' : 'npm')
    results.set(keyOf(row), result)
    report(row, result, (performance.now() - start) / 1000)
    // After each, so that a run that is stopped keeps what it learnt.
    await writeFile(file, writeDocument(rows, results))
  }
  await removeTarballs()
}

function report(row: Row, { result, version, message }: Result, seconds: number): void {
  const isExpected = result === row.expected || result === 'not run'
  if (!isExpected) process.exitCode = 1
  const verdict = isExpected ? 'ok    ' : 'failed'
  const details = [result, version, message].filter(Boolean).join(', ')
  console.log(`${verdict} ${keyOf(row)} (${seconds.toFixed(1)} s): ${details}`)
}
