import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { type BuildOptions, build, transform } from 'esbuild'
import { byFields } from './fields.js'
import { callIn, EchoSocket, runInWorld } from './page-world.js'
import { Project } from './project.js'
import { bothWays, CONDITIONS, FIELDS, NODE, type Way, WEBPACK } from './tools.js'

const WAYS = {
  import: "import { TokenSocket } from '@token-socket/client'; globalThis.TokenSocket = TokenSocket",
  require: "const { TokenSocket } = require('@token-socket/client'); globalThis.TokenSocket = TokenSocket",
}

/** A program that has Hotsock's calls, too, and throws unless they stand on its own client. */
const HOTSOCK_WAYS = {
  import: `${WAYS.import}\nimport { HotsockClient } from '@token-socket/client/hotsock'`,
  require: `${WAYS.require}\nconst { HotsockClient } = require('@token-socket/client/hotsock')`,
}
const HOTSOCK = `
const hotsock = new HotsockClient('wss://app.test', { connectTokenFn: () => 'a.b.c', lazyConnection: true })
if (!(hotsock.socket instanceof TokenSocket)) throw new Error('there are two clients')
hotsock.terminate()
`

describe('the client, as tools find it', function () {
  this.timeout(60_000)
  let project: Project

  before(async () => {
    project = await Project.create()
  })

  after(() => project.remove())

  /** Bundles a program. @returns its text, and which builds of the client are in it */
  async function bundleText(
    contents: string,
    options: BuildOptions,
  ): Promise<{ text: string; builds: string[] }> {
    const built = await build({
      stdin: { contents, resolveDir: project.folder },
      ...{ bundle: true, write: false, metafile: true, format: 'iife', logLevel: 'silent' },
      define: { global: 'globalThis' },
      ...options,
    })
    const files = Object.keys(built.metafile?.inputs ?? {})
    const builds = files.map((file) => /@token-socket\/client\/dist\/([^/]+\/\w+)\.js$/.exec(file)?.[1])
    return {
      text: built.outputFiles?.[0]?.text ?? '',
      builds: builds.filter((name) => name !== undefined).map((name) => name.replace(/\/index$/, '')),
    }
  }

  /** Bundles a page, whatever it imports. */
  const bundle = (way: Way, options: BuildOptions) => bundleText(WAYS[way], options)

  /** Bundles a page with Hotsock's calls and runs it. @returns which files of the client are in it */
  async function hotsockBuilds(way: Way, options: BuildOptions): Promise<string[]> {
    const { text, builds } = await bundleText(HOTSOCK_WAYS[way] + HOTSOCK, options)
    expect(await callIn(text)).to.equal('hi by websocket')
    return builds.sort()
  }

  for (const [tool, way, conditions, wanted] of CONDITIONS) {
    it(`connects without Node’s parts, got by ${way} in ${tool}`, async () => {
      const options: BuildOptions = { platform: 'neutral', mainFields: ['module', 'main'] }
      const { text, builds } = await bundle(way, { ...options, conditions: [...conditions] })
      expect(builds).to.deep.equal([wanted])
      expect(await callIn(text)).to.equal('hi by websocket')
    })

    it(`has Hotsock’s calls on the same client, got by ${way} in ${tool}`, async () => {
      const options: BuildOptions = { platform: 'neutral', mainFields: ['module', 'main'] }
      const builds = await hotsockBuilds(way, { ...options, conditions: [...conditions] })
      const folder = way === 'import' || conditions.includes('module') ? 'esm' : 'cjs'
      expect(builds).to.deep.equal([wanted, `${folder}/hotsock`].sort())
    })
  }

  for (const entry of ['', '/hotsock']) {
    it(`is one copy where a page of webpack 5 gets @token-socket/client${entry} by import and by require`, async () => {
      const options: BuildOptions = { platform: 'neutral', conditions: [...WEBPACK] }
      const { text } = await bundleText(bothWays(`@token-socket/client${entry}`), options)
      expect(runInWorld(text, 'isOne')).to.equal(true)
    })
  }

  for (const [tool, way, fields, wanted] of FIELDS) {
    it(`connects without Node’s parts, got by ${way} in ${tool}, which reads ${fields.join(', ')}`, async () => {
      const { text, builds } = await bundle(way, { platform: 'neutral', plugins: [byFields(fields)] })
      expect(builds).to.deep.equal([wanted])
      expect(await callIn(text)).to.equal('hi by websocket')
    })

    it(`has Hotsock’s calls on the same client, got by ${way} in ${tool}, which reads ${fields.join(', ')}`, async () => {
      const builds = await hotsockBuilds(way, { platform: 'neutral', plugins: [byFields(fields)] })
      const folder = fields.includes('module') ? 'esm' : 'cjs'
      expect(builds).to.deep.equal([wanted, `${folder}/hotsock`].sort())
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
    for (const [name, module] of [
      ['cjs', /require\("sockjs-client"\)/],
      ['browser-cjs', /require\("sockjs-client\//],
    ] as const) {
      const file = project.path('node_modules/@token-socket/client/dist', name, 'index.js')
      expect(await readFile(file, 'utf8'))
        .to.match(module)
        .and.not.match(/\bimport\(/)
    }
  })
})
