/** Which files of the contract, and of the protocol, tools find. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { expect } from 'chai'
import { type BuildOptions, build, transform } from 'esbuild'
import { byFields, resolveByFields } from './fields.js'
import { runInWorld } from './page-world.js'
import { Project } from './project.js'
import { bothWays, CONDITIONS, FIELDS, NODE, type Way, WEBPACK } from './tools.js'

/** The entries, by their folders. */
const ENTRIES = ['index', 'client', 'mock', 'asyncapi', 'json-schema', 'server']

/** A program with every entry that pages have, and a mock server in it that answers a call. */
const SETUP = `
const twice = {
  '~standard': {
    version: 1,
    vendor: 'page',
    validate: (value) => (value === 21 ? { value: value * 2 } : { issues: [{ message: '21' }] }),
    jsonSchema: { input: () => ({ type: 'integer', enum: [20, 21] }) },
  },
}
const mock = mockServer(defineContract({ server: { double: procedure({ output: twice }) } }), { seed: 'page' })
globalThis.outcome = mock.connect().then((client) => client.double())
globalThis.listening = mock.listen().catch(({ message }) => message)
`

const OTHERS = ['client', 'json-schema']

const PROGRAMS: Readonly<Record<Way, string>> = {
  import: `
import { defineContract, procedure } from '@token-socket/contract'
import { mockServer } from '@token-socket/contract/mock'
${OTHERS.map((name, index) => `import * as other${index} from '@token-socket/contract/${name}'`).join('\n')}
globalThis.others = [${OTHERS.map((_, index) => `other${index}`)}]
${SETUP}`,
  require: `
const { defineContract, procedure } = require('@token-socket/contract')
const { mockServer } = require('@token-socket/contract/mock')
globalThis.others = [${OTHERS.map((name) => `require('@token-socket/contract/${name}')`)}]
${SETUP}`,
}

/** What a page’s mock answers when it is to open a port. */
const NO_PORT = 'A mock server listens in Node only: use it in memory here'

describe('the contract, as tools find it', function () {
  this.timeout(60_000)
  let project: Project

  before(async () => {
    project = await Project.create('module', ['contract'])
    await project.link(['@cfworker/json-schema', '@standard-schema/spec'])
  })

  after(() => project.remove())

  /** Bundles every entry. @returns its text, and the folders that the files of the contract and the protocol are from */
  const bundle = (way: Way, options: BuildOptions) => bundleText(PROGRAMS[way], options)

  async function bundleText(
    contents: string,
    options: BuildOptions,
  ): Promise<{ text: string; builds: string[] }> {
    const built = await build({
      stdin: { contents, resolveDir: project.folder },
      ...{ bundle: true, write: false, metafile: true, format: 'iife', logLevel: 'silent' },
      ...options,
    })
    const files = Object.keys(built.metafile?.inputs ?? {})
    const builds = files.map(
      (file) => /@token-socket\/(?:contract|protocol)\/dist\/([^/]+)\//.exec(file)?.[1],
    )
    const text = built.outputFiles?.[0]?.text ?? ''
    return { text, builds: [...new Set(builds.filter((name) => name !== undefined))] }
  }

  /** How the mock server in a page does. */
  async function runInPage(text: string): Promise<unknown> {
    const page = createContext({ ...{ URL, TextEncoder, structuredClone, queueMicrotask, AbortController } })
    runInContext('globalThis.self = globalThis', page)
    Object.assign(page, { setTimeout, clearTimeout, setInterval, clearInterval, performance, crypto })
    runInContext(text, page)
    return Promise.all([page.outcome, page.listening])
  }

  for (const [tool, way, conditions] of CONDITIONS) {
    it(`runs in a page, got by ${way} in ${tool}`, async () => {
      const options: BuildOptions = { platform: 'neutral', mainFields: ['module', 'main'] }
      const { text, builds } = await bundle(way, { ...options, conditions: [...conditions] })
      expect(builds).to.deep.equal([way === 'import' || conditions.includes('module') ? 'esm' : 'cjs'])
      expect(await runInPage(text)).to.deep.equal([42, NO_PORT])
    })
  }

  for (const name of [
    'protocol',
    ...['', '/client', '/mock', '/json-schema'].map((entry) => `contract${entry}`),
  ]) {
    it(`is one copy where a page of webpack 5 gets @token-socket/${name} by import and by require`, async () => {
      const options: BuildOptions = { platform: 'neutral', conditions: [...WEBPACK] }
      const { text } = await bundleText(bothWays(`@token-socket/${name}`), options)
      expect(runInWorld(text, 'isOne')).to.equal(true)
    })
  }

  for (const [tool, way, fields] of FIELDS) {
    it(`runs in a page, got by ${way} in ${tool}, which reads ${fields.join(', ')}`, async () => {
      const { text, builds } = await bundle(way, { platform: 'neutral', plugins: [byFields(fields)] })
      expect(builds).to.deep.equal([fields.includes('module') ? 'legacy' : 'legacy-cjs'])
      expect(await runInPage(text)).to.deep.equal([42, NO_PORT])
    })
  }

  for (const [tool, way, conditions] of NODE) {
    it(`opens ports in ${tool}, by ${way}`, async () => {
      const external = ['ws', 'express', '@token-socket/server']
      const options: BuildOptions = { platform: 'node', external, conditions: [...conditions] }
      const { text } = await bundle(way, options)
      expect(text)
        .to.match(/createServer\b/)
        .and.not.include(NO_PORT)
    })
  }

  for (const packageName of ['contract', 'protocol']) {
    for (const folder of ['legacy', 'legacy-cjs']) {
      it(`has no syntax after ES2018 in ${folder} of ${packageName}, for tools that can’t parse it`, async () => {
        const dist = project.path('node_modules/@token-socket', packageName, 'dist', folder)
        const names = (await readdir(dist, { recursive: true })).filter((name) => name.endsWith('.js'))
        expect(names).to.not.be.empty
        for (const name of names) {
          const text = await readFile(join(dist, name), 'utf8')
          const lower = (target: string) => transform(text, { target, supported: { 'dynamic-import': true } })
          const [asIs, lowered] = await Promise.all(['esnext', 'es2018'].map(lower))
          expect(lowered?.code, name).to.equal(asIs?.code)
        }
      })
    }
  }

  const entries = [
    ...ENTRIES.map((name) => ['contract', name === 'index' ? '' : `/${name}`] as const),
    ['protocol', ''],
    ['protocol', '/testing'],
  ] as const
  for (const [packageName, entry] of entries) {
    it(`has @token-socket/${packageName}${entry} for tools that read no exports`, () => {
      for (const [field, folder] of [
        ['main', 'legacy-cjs'],
        ['module', 'legacy'],
        ['types', 'cjs'],
      ] as const) {
        const name = `@token-socket/${packageName}${entry}`
        const file = relative(project.folder, resolveByFields(name, project.folder, [field]))
        expect(file).to.match(new RegExp(`@token-socket/${packageName}/dist/${folder}/`))
        expect(existsSync(project.path(file))).to.equal(true)
      }
    })
  }
})
