// Prints what a release would publish: each package with its version, tag, size and files. It publishes nothing.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './gates.mjs'

/** How many of a package's files are listed; the rest is counted. */
const LISTED = 8

function packed(folder) {
  const path = process.env.npm_execpath
  const [program, ...first] = path ? [process.execPath, path] : ['npm']
  const args = [...first, 'pack', '--dry-run', '--json', '--loglevel=error']
  const output = execFileSync(program, args, { cwd: folder, encoding: 'utf8' })
  return Object.values(JSON.parse(output))[0]
}

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`

const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name))
const versions = new Set()
for (const folder of packages) {
  const { name, version, publishConfig } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  versions.add(version)
  const { files, size, unpackedSize } = packed(folder)
  const tag = version.includes('-') ? 'next' : 'latest'
  console.log(`\n${name}@${version}  tag ${tag}, ${publishConfig.access}, with provenance`)
  console.log(`  ${files.length} files, ${kilobytes(size)} packed, ${kilobytes(unpackedSize)} unpacked`)
  const largest = [...files].sort((one, other) => other.size - one.size)
  for (const { path, size: bytes } of largest.slice(0, LISTED))
    console.log(`  ${kilobytes(bytes).padStart(10)}  ${path}`)
  if (files.length > LISTED) console.log(`  ${files.length - LISTED} more`)
}
if (versions.size === 1)
  console.log(`\n${packages.length} packages of version ${[...versions][0]} would be published.`)
else {
  console.error(`\nThe packages have different versions: ${[...versions].join(', ')}`)
  process.exitCode = 1
}
