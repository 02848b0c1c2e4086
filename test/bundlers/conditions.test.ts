import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { type BuildOptions, build, transform } from 'esbuild'
import { byFields } from './fields.js'
import { callIn, EchoSocket } from './page-world.js'
import { Project } from './project.js'
import { CONDITIONS, FIELDS, NODE, type Way } from './tools.js'

const WAYS = {
  import: "import { TokenSocket } from '@token-socket/client'; globalThis.TokenSocket = TokenSocket",
  require: "const { TokenSocket } = require('@token-socket/client'); globalThis.TokenSocket = TokenSocket",
}

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
})
