import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { expect } from 'chai'
import { type BuildOptions, build, transform } from 'esbuild'
import { byFields, resolveByFields } from './fields.js'
import { callIn, EchoSocket } from './page-world.js'
import { Project } from './project.js'

const WAYS = {
  import: "import { TokenSocket } from '@token-socket/client'; globalThis.TokenSocket = TokenSocket",
  require: "const { TokenSocket } = require('@token-socket/client'); globalThis.TokenSocket = TokenSocket",
}

type Way = keyof typeof WAYS

/** Tools that read `exports`, the conditions that they add to `import` or `require`, and which build they get. */
const CONDITIONS: readonly (readonly [
  tool: string,
  way: Way,
  conditions: readonly string[],
  build: string,
])[] = [
  ['Vite', 'import', ['module', 'browser', 'production'], 'browser'],
  ['Vite in development', 'import', ['module', 'browser', 'development'], 'browser-development'],
  ['webpack 5', 'import', ['webpack', 'module', 'browser', 'production'], 'browser'],
  ['webpack 5', 'require', ['webpack', 'module', 'browser', 'production'], 'browser'],
  [
    'webpack 5 in development',
    'import',
    ['webpack', 'module', 'browser', 'development'],
    'browser-development',
  ],
  [
    'webpack 5 in development',
    'require',
    ['webpack', 'module', 'browser', 'development'],
    'browser-development',
  ],
  ['an edge worker in development', 'import', ['worker', 'development'], 'browser-development'],
  ['a web worker of webpack 5', 'import', ['webpack', 'module', 'worker', 'browser'], 'browser'],
  ['Cloudflare Workers', 'import', ['workerd', 'worker', 'browser'], 'browser'],
  ['an edge worker', 'import', ['worker'], 'browser'],
  ['Jest with jsdom', 'require', ['browser'], 'browser-cjs'],
  ['Jest with jsdom and ESM', 'import', ['browser'], 'browser'],
  ['Metro, for React Native', 'import', ['react-native'], 'browser'],
  ['Metro, for React Native', 'require', ['react-native'], 'browser-cjs'],
  ['Metro, for the web', 'require', ['browser'], 'browser-cjs'],
]

/** Tools that read no `exports`, the fields that they read, and which build they get. */
const FIELDS: readonly (readonly [tool: string, way: Way, fields: readonly string[], build: string])[] = [
  ['webpack 4', 'import', ['browser', 'module', 'main'], 'browser-legacy'],
  ['Parcel', 'import', ['browser', 'module', 'main'], 'browser-legacy'],
  ['Browserify', 'require', ['browser', 'main'], 'browser-cjs'],
  ['Metro', 'require', ['react-native', 'browser', 'main'], 'browser-cjs'],
]

/** Tools for Node, the conditions that they add, and which build they get: with `ws`. */
const NODE: readonly (readonly [tool: string, way: Way, conditions: readonly string[], build: string])[] = [
  ['Node', 'import', ['node'], 'esm'],
  ['Node', 'require', ['node'], 'cjs'],
  ['Node with ESM by require', 'require', ['node', 'module-sync'], 'cjs'],
  ['Deno', 'import', ['deno', 'node'], 'esm'],
  ['Bun', 'import', ['bun', 'node'], 'esm'],
  ['Bun', 'require', ['bun', 'node'], 'cjs'],
]

describe('the client, as tools find it', function () {
  this.timeout(60_000)
  let project: Project

  before(async () => {
    project = await Project.create()
  })

  after(() => project.remove())

  /** Bundles a page, whatever it imports. @returns its text, and which builds of the client are in it */
  async function bundle(way: Way, options: BuildOptions): Promise<{ text: string; builds: string[] }> {
    const built = await build({
      stdin: { contents: WAYS[way], resolveDir: project.folder },
      ...{ bundle: true, write: false, metafile: true, format: 'iife', logLevel: 'silent' },
      define: { global: 'globalThis' },
      ...options,
    })
    const files = Object.keys(built.metafile?.inputs ?? {})
    const builds = files.map((file) => /@token-socket\/client\/dist\/([^/]+)\//.exec(file)?.[1])
    return { text: built.outputFiles?.[0]?.text ?? '', builds: builds.filter((name) => name !== undefined) }
  }

  for (const [tool, way, conditions, wanted] of CONDITIONS) {
    it(`connects without Node’s parts, got by ${way} in ${tool}`, async () => {
      const options: BuildOptions = { platform: 'neutral', mainFields: ['module', 'main'] }
      const { text, builds } = await bundle(way, { ...options, conditions: [...conditions] })
      expect(builds).to.deep.equal([wanted])
      expect(await callIn(text)).to.equal('hi by websocket')
    })
  }

  for (const [tool, way, fields, wanted] of FIELDS) {
    it(`connects without Node’s parts, got by ${way} in ${tool}, which reads ${fields.join(', ')}`, async () => {
      const { text, builds } = await bundle(way, { platform: 'neutral', plugins: [byFields(fields)] })
      expect(builds).to.deep.equal([wanted])
      expect(await callIn(text)).to.equal('hi by websocket')
    })
  }

  for (const [tool, way, conditions, wanted] of NODE) {
    it(`is the one with ws in ${tool}, by ${way}`, async () => {
      const options: BuildOptions = { platform: 'node', external: ['ws'], conditions: [...conditions] }
      const { text, builds } = await bundle(way, options)
      expect(builds).to.deep.equal([wanted])
      expect(text).to.match(/require\("ws"\)/)
    })
  }

  /** What `import()` of the CommonJS module gives, by bundler, and how a call by SockJS ends. */
  const exportsOfSockJS: readonly (readonly [shape: string, exported: unknown, end: RegExp])[] = [
    ['`default`', { default: EchoSocket }, /^hi by sockjs$/],
    ['what it exports, without `default` (Parcel)', EchoSocket, /^hi by sockjs$/],
    ['an empty module, since it is left out', { default: {} }, /exports no constructor/],
    ['an empty module without `default`', {}, /exports no constructor/],
  ]
  for (const [shape, exported, end] of exportsOfSockJS) {
    it(`falls back to SockJS where import() gives ${shape}`, async () => {
      const conditions = ['browser']
      const options: BuildOptions = {
        platform: 'neutral',
        mainFields: ['main'],
        external: ['sockjs-client*'],
      }
      const { text } = await bundle('import', { ...options, conditions })
      const script = text.replace(/import\("sockjs-client[^"]*"\)/, 'Promise.resolve(exported)')
      expect(script).to.not.equal(text)
      expect(await callIn(script, 'sockjs', { exported })).to.match(end)
    })
  }

  for (const name of ['browser-legacy', 'browser-cjs']) {
    it(`has no syntax after ES2018 in ${name}, for tools that can’t parse it`, async () => {
      const file = project.path('node_modules/@token-socket/client/dist', name, 'index.js')
      const text = await readFile(file, 'utf8')
      const [asIs, lowered] = await Promise.all(
        ['esnext', 'es2018'].map((target) =>
          transform(text, { target, supported: { 'dynamic-import': true } }),
        ),
      )
      expect(lowered?.code).to.equal(asIs?.code)
    })
  }

  it('loads SockJS by require where it is CommonJS: no import() works in Jest’s VM', async () => {
    for (const name of ['cjs', 'browser-cjs']) {
      const file = project.path('node_modules/@token-socket/client/dist', name, 'index.js')
      expect(await readFile(file, 'utf8'))
        .to.match(/require\("sockjs-client\//)
        .and.not.match(/\bimport\(/)
    }
  })

  it('has the protocol’s entries for tools that read no exports', () => {
    for (const name of ['@token-socket/protocol', '@token-socket/protocol/testing']) {
      for (const fields of [['main'], ['module', 'main'], ['types']]) {
        const file = relative(project.folder, resolveByFields(name, project.folder, fields))
        const folder = fields[0] === 'module' ? 'esm' : 'cjs'
        const end = `${name.endsWith('testing') ? 'testing' : 'index'}.${fields[0] === 'types' ? 'd.ts' : 'js'}`
        expect(file).to.match(new RegExp(`@token-socket/protocol/dist/${folder}/${end}$`))
      }
    }
  })
})
