// Packs every package as npm would publish it, and holds the tarballs to publint and attw ("are the types wrong"). Then
// installs them into an empty project, loads every entry by `import` and by `require`, and checks a TypeScript user of it.

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { root } from './gates.mjs'
import { checkCommand } from './pack-command.mjs'

/** What publint finds and we accept, each with the reason. */
const acceptedMessages = [
  // The script-tag file is for `<script src>`, neither ESM nor CommonJS. publint sees esbuild's wrapper around
  // eventemitter3, which names `module` and `exports`, and takes the whole for CommonJS.
  ({ code, path }) => code === 'FILE_INVALID_FORMAT' && /^\.\/token-socket(\.min)?\.js$/.test(path.at(-1)),
  // publint prefers `exports` to the field `browser`. The client has both: the field is for tools that read no `exports`.
  ({ code }) => code === 'USE_EXPORTS_OR_IMPORTS_BROWSER',
  // Node reads `imports` of the nearest package.json, also below `dist`; test/bundlers holds that in Node and four bundlers.
  ({ code }) => code === 'NESTED_PACKAGE_JSON_FIELD_IGNORED',
]

/** Entries that are not modules with types, which attw does not understand: scripts, and package.json. */
const isModule = (target) => typeof target === 'object'

const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|NODE_V8_COVERAGE$)/i.test(name)),
)

function npm(args, cwd) {
  const path = process.env.npm_execpath
  const [program, ...first] = path ? [process.execPath, path] : ['npm']
  return execFileSync(program, [...first, ...args], { cwd, env: environment, encoding: 'utf8' })
}

function pack(folder, destination) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const output = npm(['pack', '--json', '--loglevel=error', '--pack-destination', destination], folder)
  const [packed] = Object.values(JSON.parse(output))
  const files = packed.files.map(({ path }) => path)
  return { manifest, files, tarball: join(destination, packed.filename) }
}

async function checkWithPublint({ tarball }) {
  const data = readFileSync(tarball)
  const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)
  const { messages, pkg } = await publint({ strict: true, pack: { tarball: buffer } })
  return messages
    .filter((message) => !acceptedMessages.some((accepts) => accepts(message)))
    .map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`)
}

async function checkWithAttw({ manifest, tarball }) {
  const entrypoints = Object.keys(manifest.exports).filter((path) => isModule(manifest.exports[path]))
  const found = await checkPackage(createPackageFromTarballData(readFileSync(tarball)), { entrypoints })
  if (!found.types) return ['attw: it has no types']
  return found.problems.map((problem) => `attw: ${JSON.stringify(problem)}`)
}

function checkFiles({ manifest, files }) {
  const wanted = ['LICENSE', 'package.json', ...Object.values(manifest.exports).flatMap(pathsIn)]
  for (const field of ['main', 'module', 'types']) wanted.push(manifest[field])
  wanted.push(...Object.entries(manifest.browser ?? {}).flat())
  if (manifest.unpkg) wanted.push(manifest.unpkg, `${manifest.unpkg}.map`)
  const missing = wanted.map((path) => path.replace(/^\.\//, '')).filter((path) => !files.includes(path))
  const unwanted = files.filter(
    (path) =>
      !/^(dist|src)\/|^(LICENSE|README\.md|((testing|asyncapi|client|engine|hotsock|json-schema|mock|server)\/)?package\.json)$/.test(
        path,
      ),
  )
  return [
    ...missing.map((path) => `the tarball lacks ${path}`),
    ...unwanted.map((path) => `the tarball holds ${path}`),
  ]
}

function pathsIn(target) {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(pathsIn)
}

/** An empty project with the tarballs installed in it, as a user has them. */
function install(packages, project) {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const dependencies = Object.fromEntries(
    packages.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]),
  )
  dependencies.express = devDependencies.express
  dependencies['@types/node'] = devDependencies['@types/node']
  mkdirSync(project)
  const manifest = { name: 'user', private: true, type: 'module', dependencies }
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], project)
}

function entriesOf({ manifest }) {
  const paths = Object.keys(manifest.exports).filter((path) => isModule(manifest.exports[path]))
  return paths.map((path) => manifest.name + path.slice(1))
}

function checkLoading(entry, project) {
  const ways = { import: `await import('${entry}')`, require: `require('${entry}')` }
  return Object.entries(ways).flatMap(([way, expression]) => {
    const script = `if (Object.keys(${expression}).length === 0) throw new Error('it exports nothing')`
    const type = way === 'import' ? 'module' : 'commonjs'
    const args = [`--input-type=${type}`, '--eval', script]
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd: project,
      env: environment,
      encoding: 'utf8',
    })
    return status === 0 ? [] : [`${way} of ${entry} fails:\n${stderr}`]
  })
}

/** Whether the declarations hold for a user who checks them too, with only the packages' own dependencies at hand. */
function checkTypes(entries, project) {
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    noEmit: true,
    types: ['node'],
  }
  const lib = ['es2023', 'dom', 'dom.iterable']
  const files = ['user.mts', 'user.cts']
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, lib }, files }),
  )
  const source = entries.map(
    (entry, index) => `import * as entry${index} from '${entry}'\nvoid entry${index}\n`,
  )
  for (const file of files) writeFileSync(join(project, file), source.join(''))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '--project', '.'], { cwd: project, encoding: 'utf8' })
  const errors = stdout.split('\n').filter((line) => line.includes('error TS'))
  // Errors inside other packages' declarations are theirs.
  const ours = errors.filter((line) => /^(user\.|node_modules\/@token-socket\/)/.test(line))
  return ours.map((line) => `types: ${line}`)
}

async function checkTarball(packed) {
  return [...checkFiles(packed), ...(await checkWithPublint(packed)), ...(await checkWithAttw(packed))]
}

function report(subject, problems) {
  console.log(`${problems.length === 0 ? 'ok    ' : 'failed'} ${subject}`)
  for (const problem of problems) console.error(`  ${problem}`)
  if (problems.length > 0) process.exitCode = 1
}

async function checkAll(temporary) {
  const folders = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name))
  const built = folders.filter((folder) => existsSync(join(folder, 'dist')))
  if (built.length === 0) throw new Error('nothing is built yet; run `npm run build` first')
  const packages = built.map((folder) => pack(folder, temporary))
  for (const packed of packages) report(packed.manifest.name, await checkTarball(packed))
  const project = join(temporary, 'project')
  install(packages, project)
  const entries = packages.flatMap(entriesOf)
  for (const entry of entries) report(`${entry}, installed`, checkLoading(entry, project))
  report('types of all of them, installed', checkTypes(entries, project))
  const tarballs = packages.map(({ manifest, tarball }) => ({ name: manifest.name, tarball }))
  const world = { folder: join(temporary, 'command'), npm, env: environment }
  report('the command of the contract, installed', checkCommand(tarballs, world))
}

const temporary = mkdtempSync(join(tmpdir(), 'token-socket-pack-'))
try {
  await checkAll(temporary)
} catch (error) {
  report(`packing: ${error.message}`, [error.stderr ?? error.stack])
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
