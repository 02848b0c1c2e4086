// Prints the sizes of the client's script-tag files and holds the minified one to its limit.
// `node scripts/size.mjs --json FILE` writes them to a file too.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { root } from './gates.mjs'

/** Bytes after gzip at level 9, by file; 1 kB is 1000 bytes. */
const limits = new Map([['token-socket.min.js', 13_000]])

function measure(file) {
  const content = readFileSync(join(root, 'packages', 'client', 'dist', file))
  return { file, min: content.length, gzip: gzipSync(content, { level: 9 }).length }
}

function report({ file, min, gzip }) {
  const limit = limits.get(file)
  const over = limit !== undefined && gzip > limit
  const verdict = over ? `over its limit of ${kilobytes(limit)}` : `limit ${kilobytes(limit)}`
  console.log(`${file}  ${kilobytes(min)}  gzip ${kilobytes(gzip)}  ${verdict}`)
  if (over) process.exitCode = 1
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(2)} kB`
}

const { values } = parseArgs({ options: { json: { type: 'string' } } })
const missing = [...limits.keys()].filter(
  (file) => !existsSync(join(root, 'packages', 'client', 'dist', file)),
)
if (missing.length > 0) {
  console.error(`${missing.join(', ')}: not built yet; run \`npm run build\` first`)
  process.exitCode = 1
} else {
  const builds = [...limits.keys()].map(measure)
  builds.forEach(report)
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ builds }, null, 2)}\n`)
}
