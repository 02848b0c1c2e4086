// Builds every package into its dist folder: ESM and CommonJS with declarations, and the client for browsers besides.
// `node scripts/build.mjs --script` builds the client's script-tag files only.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { build } from 'esbuild'
import { minify } from 'terser'
import { root } from './gates.mjs'
import { INTERNAL_NAMES } from './internal-names.mjs'
import { PRIVATE_NAMES, plainPrivates, shortForms, slimEmitter, slimSockJS } from './slim-dependencies.mjs'

const shared = {
  bundle: true,
  packages: 'external',
  // Workspace packages are bundled from their sources where they are bundled at all, so the order of builds is free.
  conditions: ['@token-socket/source'],
  target: ['es2022', 'node20'],
  sourcemap: true,
  logLevel: 'warning',
}

/** The packages in the order of their declarations: a package's are checked against those of the ones before it. */
function packageFolders() {
  const names = readdirSync(join(root, 'packages')).filter((name) =>
    existsSync(join(root, 'packages', name, 'src', 'index.ts')),
  )
  const first = names.filter((name) => name === 'protocol')
  const second = names.filter((name) => name === 'server')
  const rest = names.filter((name) => name !== 'protocol' && name !== 'server')
  return [...first, ...second, ...rest].map((name) => join(root, 'packages', name))
}

/** A package whose entries share files is built file by file: bundled, each entry would have classes of its own. */
function entriesOf(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const entries = Object.values(exports)
    .map((target) => target['@token-socket/source'])
    .filter((source) => source !== undefined && existsSync(join(folder, source)))
    .filter((source) => source !== SIDE_ENTRIES[basename(folder)]?.source)
  if (entries.length === 1) return { entryPoints: entries.map((entry) => join(folder, entry)) }
  const files = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
  const sources = files.filter((name) => name.endsWith('.ts')).map((name) => join(folder, 'src', name))
  return { entryPoints: sources, bundle: false, packages: undefined, conditions: undefined }
}

/**
 * The entries that stand on their package's main one as an application does, and so have the classes of whichever build a tool takes.
 * The client's is in this decade's syntax or older: tools that read no `exports` load it, too.
 */
const SIDE_ENTRIES = {
  client: { source: './src/hotsock.ts', settings: { target: 'es2018', platform: 'neutral' } },
  server: { source: './src/engine.ts', settings: { platform: 'node' } },
}

async function buildSideEntry(folder, { source, settings }) {
  const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const main = {
    name: 'main entry',
    setup(builder) {
      builder.onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: name, external: true }))
      // What it takes of this package's files uses nothing of the protocol's.
      builder.onResolve({ filter: /protocol$/ }, ({ path }) => ({ path, external: true, sideEffects: false }))
    },
  }
  for (const format of ['esm', 'cjs']) {
    const outfile = join(folder, 'dist', format, `${basename(source, '.ts')}.js`)
    const entry = { entryPoints: [join(folder, source)], outfile, format, plugins: [main] }
    await build({ ...shared, ...entry, ...settings })
  }
}

/** CommonJS loads later by `require`: where tests run in a VM (Jest), and in old bundlers, there is no `import()`. */
const importing = (format) => (format === 'cjs' ? { supported: { 'dynamic-import': false } } : {})

/**
 * Node and tools that follow it take a folder's files for modules of this type.
 * @param {object} [fields] what else they are to know: `imports`, the private names that files of the folder import, or `browser`
 */
function writeType(folder, type, fields) {
  // Bundlers ask the nearest package.json: without this they would keep what a page does not import.
  const manifest = { type, sideEffects: false, ...fields }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

/** The private names of a package that is built file by file, for the folder of its built files: that is where they are looked up. */
function builtImports(folder) {
  const built = (_, target) => (typeof target === 'string' ? builtPath(target) : target)
  const imports = importsOf(folder)
  return imports && JSON.parse(JSON.stringify(imports, built))
}

const builtPath = (target) => target.replace(/^\.\/src\/(.*)\.ts$/, './$1.js')

function importsOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).imports
}

async function buildModules(folder) {
  const entries = entriesOf(folder)
  for (const [format, type] of [
    ['esm', 'module'],
    ['cjs', 'commonjs'],
  ]) {
    const outdir = join(folder, 'dist', format)
    const outbase = join(folder, 'src')
    await build({ ...shared, ...importing(format), ...entries, outdir, outbase, format, platform: 'node' })
    writeType(outdir, type, entries.bundle === false ? { imports: builtImports(folder) } : {})
  }
}

/** Files that have the dependency that they are the door of inside: it is a module only, and `require` cannot load it. */
const INLINED = [['contract', 'mock/data/json-schema-faker', 'json-schema-faker']]

async function buildInlined(folder) {
  for (const [, file, dependency] of INLINED.filter(([name]) => name === basename(folder))) {
    const license = readFileSync(join(root, 'node_modules', dependency, 'LICENSE'), 'utf8').trim()
    const banner = { js: `/*! ${dependency}\n\n${license}\n*/` }
    const input = { entryPoints: [join(folder, 'src', `${file}.ts`)], packages: 'bundle', banner }
    for (const [name, format, target = shared.target] of [
      ['esm', 'esm'],
      ['cjs', 'cjs'],
      ...LEGACY_FOLDERS.map((one) => [...one, LEGACY_TARGET]),
    ]) {
      const outfile = join(folder, 'dist', name, `${file}.js`)
      const settings = { outfile, format, target, platform: 'neutral', minify: true, sourcemap: false }
      await build({ ...shared, ...input, ...settings })
      rmSync(`${outfile}.map`, { force: true })
    }
  }
}

/**
 * What tools that read no `exports` (webpack 4, Browserify, Parcel) find by `module` and `main`: they can't parse this decade's
 * syntax, and know no private names.
 */
const LEGACY_FOLDERS = [
  ['legacy', 'esm'],
  ['legacy-cjs', 'cjs'],
]

/** What those tools can parse. */
const LEGACY_TARGET = 'es2018'

/** The packages that pages use and that are built file by file. */
const IN_PAGES = ['contract', 'protocol']

async function buildLegacyFiles(folder) {
  const { entryPoints } = entriesOf(folder)
  const settings = {
    ...{ ...shared, entryPoints: entryPoints.filter((file) => !file.includes('/cli/')), sourcemap: false },
    ...{ outbase: join(folder, 'src'), platform: 'node', target: LEGACY_TARGET, plugins: [eachFile(folder)] },
  }
  for (const [name, format] of LEGACY_FOLDERS) {
    const outdir = join(folder, 'dist', name)
    await build({ ...settings, ...importing(format), outdir, format })
    writeType(outdir, format === 'cjs' ? 'commonjs' : 'module', { browser: pageFiles(folder) })
  }
}

/** For a folder of legacy files: what stands in for Node's files in a page. */
function pageFiles(folder) {
  const files = Object.values(importsOf(folder) ?? {}).map((target) => [target.default, target.browser])
  return Object.fromEntries(files.map((pair) => pair.map(builtPath)))
}

/** Leaves every import where it is, and puts Node's file in the place of a private name. */
function eachFile(folder) {
  const imports = importsOf(folder) ?? {}
  const fileOf = (target, importer) => {
    const path = relative(dirname(importer), join(folder, target)).replace(/\.ts$/, '.js')
    return path.startsWith('.') ? path : `./${path}`
  }
  return {
    name: 'each-file',
    setup({ onResolve }) {
      onResolve({ filter: /./ }, ({ path, importer, kind }) => {
        if (kind === 'entry-point') return undefined
        const target = imports[path]?.default
        return { path: target ? fileOf(target, importer) : path, external: true }
      })
    },
  }
}

function buildDeclarations(folder) {
  const args = ['node_modules/typescript/bin/tsc', '--project', join(folder, 'tsconfig.build.json')]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error('its declarations could not be built')
  const isDeclaration = (name) => name.endsWith('.d.ts') || name.endsWith('.d.ts.map')
  for (const name of readdirSync(join(folder, 'dist', 'esm'), { recursive: true, encoding: 'utf8' })) {
    if (isDeclaration(name)) cpSync(join(folder, 'dist', 'esm', name), join(folder, 'dist', 'cjs', name))
  }
}

/** For bundlers that make browser code, all of them without `ws`. */
async function buildBrowserModules(folder) {
  const browser = {
    ...shared,
    entryPoints: [join(folder, 'src', 'index.ts')],
    platform: 'browser',
    conditions: ['browser', ...shared.conditions],
  }
  const outfile = (name) => join(folder, 'dist', name, 'index.js')
  // The protocol package is left to the bundler, which may share it with others.
  await build({ ...browser, format: 'esm', outfile: outfile('browser') })
  // The same with warnings for developers, for bundlers that say that they make a page for development.
  const development = { ...browser, conditions: ['@token-socket/development', ...browser.conditions] }
  await build({ ...development, format: 'esm', outfile: outfile('browser-development') })
  // Tools that read no `exports` can't parse this decade's syntax. Jest reads `exports` and needs CommonJS.
  const legacy = {
    ...browser,
    target: LEGACY_TARGET,
  }
  await build({ ...legacy, format: 'esm', outfile: outfile('browser-legacy') })
  await build({ ...legacy, ...importing('cjs'), format: 'cjs', outfile: outfile('browser-cjs') })
  writeType(join(folder, 'dist', 'browser-cjs'), 'commonjs')
}

/**
 * For script tags: `token-socket` with everything but SockJS, which it takes from `window.SockJS` or from
 * `token-socket.fallback.min.js` beside it when there is need; `token-socket.full` with SockJS in it.
 */
async function buildScripts(folder) {
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const script = {
    ...shared,
    packages: 'bundle',
    format: 'iife',
    platform: 'browser',
    conditions: ['browser', '@token-socket/script', ...shared.conditions],
    // SockJS's sources instead of its bundle: they take `global` for granted, and bring ES5 to browsers without it.
    define: { global: 'globalThis' },
    plugins: [slimEmitter],
    banner: { js: `/*! TokenSocket ${version}, ${license} */` },
    legalComments: 'none',
  }
  const small = {
    ...script,
    minify: true,
    plugins: [slimEmitter, slimSockJS, shortForms, plainPrivates],
    define: { ...script.define, ...SHORT_NUMBERS },
    // A field without a value needs no declaration.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
    // Besides our own those of SockJS that begin with `_`; the emitter's are members of the application's socket, too, and
    // some of SockJS's the client's own code uses, whatever build of SockJS the page has.
    mangleProps: new RegExp(`^(_[a-z].*|${INTERNAL_NAMES.join('|')})$`),
    reserveProps: /^_(events|eventsCount|sockjs_onload|start|transport)$/,
  }
  const socket = entry(folder, "import { TokenSocket } from './index.js'", 'TokenSocket')
  const sockjs = entry(folder, "import SockJS from 'sockjs-client/lib/entry.js'", 'SockJS')
  const outfile = (name) => join(folder, 'dist', name)
  const fallback = outfile('token-socket.fallback.min.js')
  await buildSmall({ ...small, stdin: sockjs, outfile: fallback })
  // A page that has the main script's hash checked wants no less for what that loads.
  const integrity = `sha384-${createHash('sha384').update(readFileSync(fallback)).digest('base64')}`
  const hash = { FALLBACK_INTEGRITY: JSON.stringify(integrity) }
  const conditions = ['@token-socket/full-script', ...script.conditions]
  const define = { ...script.define, ...hash }
  const readable = {
    ...script,
    define,
    conditions: ['@token-socket/development', ...script.conditions],
    outfile: outfile('token-socket.js'),
  }
  await build({ ...readable, stdin: socket })
  const smallDefine = { ...small.define, ...hash }
  const core = { ...small, mangleCache: PRIVATE_NAMES, stdin: socket }
  const main = { ...core, define: smallDefine, outfile: outfile('token-socket.min.js') }
  await buildSmall({ ...main, hasOldClasses: false })
  await buildSmall({ ...core, conditions, outfile: outfile('token-socket.full.min.js') })
}

/** Written as `1/0` in small scripts. */
const SHORT_NUMBERS = { 'Number.POSITIVE_INFINITY': 'Infinity' }

/** How terser compresses small scripts. */
const COMPRESS = {
  hoist_funs: true,
  inline: 1,
  lhs_constants: false,
  passes: 2,
  // No getter of ours, or of SockJS's, does anything but answer.
  pure_getters: true,
  unsafe_methods: true,
}

/**
 * esbuild's own output, with names given once more by terser, which repeats them more: gzip makes less of it.
 * @param settings.hasOldClasses whether a function is a constructor somewhere: SockJS has such classes, the client has none
 */
async function buildSmall({ hasOldClasses = true, ...settings }) {
  await build(settings)
  const { outfile } = settings
  const sourceMap = { content: readFileSync(`${outfile}.map`, 'utf8'), url: `${basename(outfile)}.map` }
  const options = { ecma: 2020, compress: { ...COMPRESS, unsafe_arrows: !hasOldClasses }, sourceMap }
  const { code, map } = await minify(readFileSync(outfile, 'utf8'), options)
  writeFileSync(outfile, `${code}\n`)
  writeFileSync(`${outfile}.map`, withSources(JSON.parse(map), dirname(outfile)))
}

/** A source map that shows our files as they are, whatever a plugin made of them: the lines are the same. */
function withSources(map, folder) {
  const isOurs = (path) => /\/src\/.*\.ts$/.test(path)
  const sourcesContent = map.sources.map((path, index) =>
    isOurs(path) ? readFileSync(join(folder, path), 'utf8') : map.sourcesContent[index],
  )
  return JSON.stringify({ ...map, sourcesContent })
}

/** A script that leaves what it imports in a global variable. */
function entry(folder, statement, name) {
  return {
    contents: `${statement}\nglobalThis.${name} = ${name}\n`,
    sourcefile: `${name}.script.js`,
    resolveDir: join(folder, 'src'),
    loader: 'js',
  }
}

async function buildPackage(folder) {
  rmSync(join(folder, 'dist'), { recursive: true, force: true })
  mkdirSync(join(folder, 'dist'))
  await buildModules(folder)
  if (IN_PAGES.includes(basename(folder))) await buildLegacyFiles(folder)
  await buildInlined(folder)
  const sideEntry = SIDE_ENTRIES[basename(folder)]
  if (sideEntry) await buildSideEntry(folder, sideEntry)
  if (folder === client) {
    await buildBrowserModules(folder)
    await buildScripts(folder)
  }
  buildDeclarations(folder)
}

/** One package that can't be built does not keep the next from being tried: all errors are seen in one run. */
async function runAll(folders, step) {
  for (const folder of folders) {
    const start = performance.now()
    try {
      await step(folder)
      console.log(`built ${relative(root, folder)} in ${((performance.now() - start) / 1000).toFixed(1)} s`)
    } catch (error) {
      console.error(`${relative(root, folder)} was not built: ${error.message}`)
      process.exitCode = 1
    }
  }
}

const client = join(root, 'packages', 'client')
if (process.argv.includes('--script')) await runAll([client], buildScripts)
else await runAll(packageFolders(), buildPackage)
