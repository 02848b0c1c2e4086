// Prints the sizes of the client's script-tag files beside those of other clients, built the same way, with the hashes
// that browsers check; holds ours to their limits, and the README to both.
// `node scripts/size.mjs --json FILE` writes them to a file too; `--write` brings the README up to date.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { minify } from 'terser'
import { root } from './gates.mjs'

/** Bytes after gzip at level 9, by file; 1 kB is 1000 bytes. */
const limits = new Map([
  ['token-socket.min.js', 18_600],
  ['token-socket.full.min.js', 26_120],
  ['token-socket.fallback.min.js', 8300],
])

/**
 * What a contract adds to a page that has the client: a contract without schemas, and its client made by one of these functions.
 * With the bytes after gzip at most.
 */
const CONTRACT_CLIENTS = [
  { name: 'connect', what: 'a [contract](docs/CONTRACT.md) and its client add to a bundle', limit: 4710 },
  { name: 'connectCalls', what: 'the same without channels, by `connectCalls`', limit: 3440 },
]

const CLIENT = `import { TokenSocket } from '@token-socket/client'
globalThis.TokenSocket = TokenSocket
`
const contractOf = (name) => `${CLIENT}
import { defineContract, procedure, type } from '@token-socket/contract'
import { ${name} } from '@token-socket/contract/client'
globalThis.contract = defineContract({ server: { say: procedure({ input: type() }) } })
globalThis.client = ${name}(contract, {})
`

/** What the client in Hotsock's words adds to a page that has the client, and the bytes after gzip at most. */
const HOTSOCK = {
  name: 'HotsockClient',
  what: '[Hotsock’s client](docs/HOTSOCK.md), `@token-socket/client/hotsock`, adds',
  limit: 2_100,
  contents: `${CLIENT}
import { HotsockClient } from '@token-socket/client/hotsock'
globalThis.HotsockClient = HotsockClient
`,
}

/** Other clients, and what of each a page would use. */
const peers = [
  ['socket.io-client', "import { io } from 'socket.io-client'", 'io'],
  ['centrifuge', "import { Centrifuge } from 'centrifuge'", 'Centrifuge'],
  ['phoenix', "import { Socket } from 'phoenix'", 'Socket'],
  ['sockjs-client', "import SockJS from 'sockjs-client/dist/sockjs.js'", 'SockJS'],
]

const dist = join(root, 'packages', 'client', 'dist')
const readmeFile = join(root, 'README.md')
const START = '<!-- sizes, written by `npm run size -- --write` -->'
const END = '<!-- end of sizes -->'

const sizesOf = (content) => ({ min: content.length, gzip: gzipSync(content, { level: 9 }).length })

function measureBuild(file) {
  const content = readFileSync(join(dist, file))
  const integrity = `sha384-${createHash('sha384').update(content).digest('base64')}`
  return { file, ...sizesOf(content), limit: limits.get(file), integrity }
}

/** As `scripts/build.mjs` builds ours. */
async function measurePeer([name, statement, global]) {
  const { outputFiles } = await build({
    stdin: { contents: `${statement}\nglobalThis.${global} = ${global}\n`, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    write: false,
    logLevel: 'error',
  })
  const { version } = JSON.parse(readFileSync(packageFile(name), 'utf8'))
  const { code } = await minify(outputFiles[0].text, { ecma: 2020 })
  return { name, version, ...sizesOf(Buffer.from(code)) }
}

/** As bundlers build modules, without terser. */
async function measureBundle(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    write: false,
    logLevel: 'error',
  })
  return sizesOf(Buffer.from(outputFiles[0].contents))
}

async function measureContracts() {
  const bare = await measureBundle(CLIENT)
  const measure = async ({ name, contents = contractOf(name), ...rest }) => {
    const { min, gzip } = await measureBundle(contents)
    return { name, ...rest, min: min - bare.min, gzip: gzip - bare.gzip }
  }
  return Promise.all([...CONTRACT_CLIENTS, HOTSOCK].map(measure))
}

/** Not every package lets its package.json be resolved. */
function packageFile(name) {
  const [folder] = createRequire(import.meta.url).resolve.paths(name) ?? []
  return [folder, join(root, 'node_modules')].map((one) => join(one, name, 'package.json')).find(existsSync)
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`
}

/** The part of the README that says all this. */
function section({ builds, others, contracts }) {
  const { version } = JSON.parse(readFileSync(join(root, 'packages', 'client', 'package.json'), 'utf8'))
  const rows = [
    ...builds.map(({ file, min, gzip }) => [`\`${file}\``, min, gzip]),
    ...contracts.map(({ what, min, gzip }) => [what, min, gzip]),
    ...others.map((peer) => [`${peer.name} ${peer.version}, built the same way`, peer.min, peer.gzip]),
  ]
  const [main] = builds
  return `${START}
\`\`\`html
<script src="https://cdn.jsdelivr.net/npm/@token-socket/client@${version}/dist/${main.file}"
  integrity="${main.integrity}" crossorigin="anonymous"></script>
\`\`\`

| script | minified | gzip |
|---|---|---|
${rows.map(([name, min, gzip]) => `| ${name} | ${kilobytes(min)} | ${kilobytes(gzip)} |`).join('\n')}
${END}`
}

function report({ builds, others, contracts }) {
  for (const { file, min, gzip, limit, integrity } of builds) {
    const verdict = gzip > limit ? `over its limit of ${kilobytes(limit)}` : `limit ${kilobytes(limit)}`
    console.log(`${file}  ${kilobytes(min)}  gzip ${kilobytes(gzip)}  ${verdict}\n  ${integrity}`)
    if (gzip > limit) process.exitCode = 1
  }
  for (const { name, min, gzip, limit } of contracts) {
    const verdict = `${gzip > limit ? 'over its limit of' : 'limit'} ${limit} bytes`
    console.log(`${name} adds ${kilobytes(min)}  gzip ${gzip} bytes  ${verdict}`)
    if (gzip > limit) process.exitCode = 1
  }
  for (const { name, version, min, gzip } of others) {
    console.log(`${name} ${version}  ${kilobytes(min)}  gzip ${kilobytes(gzip)}`)
  }
}

function checkReadme(text, isToBeWritten) {
  const readme = readFileSync(readmeFile, 'utf8')
  const [start, end] = [readme.indexOf(START), readme.indexOf(END)]
  if (start >= 0 && end > start && readme.slice(start, end + END.length) === text) return
  if (isToBeWritten && start >= 0 && end > start) {
    writeFileSync(readmeFile, readme.slice(0, start) + text + readme.slice(end + END.length))
    console.log('README.md is up to date now')
  } else {
    console.error(
      'README.md says something else about sizes and hashes: `npm run size -- --write` corrects it',
    )
    process.exitCode = 1
  }
}

const { values } = parseArgs({ options: { json: { type: 'string' }, write: { type: 'boolean' } } })
const missing = [...limits.keys()].filter((file) => !existsSync(join(dist, file)))
if (missing.length > 0) {
  console.error(`${missing.join(', ')}: not built yet; run \`npm run build\` first`)
  process.exitCode = 1
} else {
  const builds = [...limits.keys()].map(measureBuild)
  const others = await Promise.all(peers.map(measurePeer))
  const contracts = await measureContracts()
  report({ builds, others, contracts })
  checkReadme(section({ builds, others, contracts }), values.write)
  if (values.json)
    writeFileSync(values.json, `${JSON.stringify({ builds, contracts, peers: others }, null, 2)}\n`)
}
