// `npm run bench -- types`: how long the compiler takes over a large contract, its server and its client. See README.md.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { dialects } from './dialects.js'
import { CASES, check, writeProject } from './project.js'

const HELP = `npm run bench -- types [options]

  --operations N   of the contract, nested four deep (3000)
  --rounds N       of which the medians are taken (5)
  --libraries A,B  ${Object.keys(dialects).join(' ')}
  --json FILE      writes every single measurement to a file too
`

/** The most that a server and a client may cost more than the contract's import, of 3,000 operations. */
const MARK = { seconds: 2.5, megabytes: 500 }

/** @typedef {import('./project.js').Check & { library: string, name: 'alone' | 'used' }} Row */

/** @param {readonly string[]} args what follows `types` on the command line */
export async function benchTypes(args) {
  const text = /** @type {const} */ ({ type: 'string' })
  const { values } = parseArgs({
    args: [...args],
    options: { operations: text, rounds: text, libraries: text, json: text, help: { type: 'boolean' } },
  })
  if (values.help) return console.log(HELP)
  const count = Number(values.operations ?? 3000)
  const libraries = values.libraries?.split(',') ?? Object.keys(dialects)
  const rows = await measureAll({ libraries, count, rounds: Number(values.rounds ?? 5) })
  console.log(`Node ${process.version}, ${cpus().length} cores, ${cpus()[0]?.model}, ${count} operations\n`)
  console.log(tableOf(libraries, rows))
  if (values.json) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
}

/** @returns {Promise<readonly Row[]>} rounds are interleaved: what changes on the machine changes for all */
async function measureAll({ libraries, count, rounds }) {
  const cache = fileURLToPath(new URL('../../.cache', import.meta.url))
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'bench-types-'))
  const rows = []
  try {
    for (const library of libraries) writeProject(join(folder, library), { library, count })
    for (let round = 0; round < rounds; round += 1)
      for (const library of libraries)
        for (const name of CASES) {
          const row = await check(join(folder, library), name)
          if (row.output !== '') throw new Error(`${library} does not compile:\n${row.output.slice(0, 1000)}`)
          rows.push({ library, name, ...row })
        }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return rows
}

function tableOf(libraries, rows) {
  const [medians, least] = [median, (numbers) => Math.min(...numbers)].map((summary) =>
    libraries.map((library) => summaryOf(rows, { library, summary })),
  )
  const [ours] = medians
  const lines = medians.map((row) => {
    const cells = MEASURES.flatMap((measure) => [row.alone[measure], row.used[measure], moreOf(row, measure)])
    const ratio = row === ours ? '' : (ours.used.cpuSeconds / row.used.cpuSeconds).toFixed(2)
    return `| ${row.library} | ${cells.map((number) => number.toFixed(1)).join(' | ')} | ${ratio} |`
  })
  const heads = MEASURES.flatMap((measure) => [
    `${UNITS[measure]}, import alone`,
    'with server and client',
    'more',
  ])
  const head = ['', ...heads, 'CPU, ours/theirs']
  const marks = Object.entries(MARK).map(([measure, mark]) => {
    const [middle, low] = [ours, least[0]].map((row) => moreOf(row, measure).toFixed(1))
    return `${middle} ${UNITS[measure]} (of the least of each ${low}), and may be ${mark}`
  })
  const table = [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...lines].join('\n')
  return `${table}\n\nMore than the import alone, ${ours.library}: ${marks.join('; ')}`
}

function moreOf({ alone, used }, measure) {
  return used[measure] - alone[measure]
}

function summaryOf(rows, { library, summary }) {
  const entries = CASES.map((name) => {
    const own = rows.filter((row) => row.library === library && row.name === name)
    return [
      name,
      Object.fromEntries(MEASURES.map((measure) => [measure, summary(own.map((row) => row[measure]))])),
    ]
  })
  return { library, ...Object.fromEntries(entries) }
}

const MEASURES = /** @type {const} */ (['seconds', 'cpuSeconds', 'megabytes'])
const UNITS = { seconds: 's', cpuSeconds: 'CPU s', megabytes: 'MB' }

function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (low + high) / 2
}
