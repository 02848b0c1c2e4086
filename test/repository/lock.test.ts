import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { root } from './source-file.js'

type Json = { readonly [key: string]: unknown }

const readJson = (path: string): Json => JSON.parse(readFileSync(`${root}/${path}`, 'utf8'))
const workspaces = readdirSync(`${root}/packages`).map((name) => `packages/${name}`)

/** Every text in a JSON value, with the path to it. */
function* textsOf(
  value: unknown,
  path: readonly string[] = [],
): Generator<[path: readonly string[], text: string]> {
  if (typeof value === 'string') yield [path, value]
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value)) yield* textsOf(child, [...path, key])
}

for (const file of ['package-lock.json', 'docs/package-lock.json', 'test/matrix/package-lock.json'])
  describe(file, () => {
    const lock = readJson(file)
    const texts = [...textsOf(lock)]

    it('has no download address', () => {
      const resolved = texts.filter(([path]) => path.at(-1) === 'resolved').map(([, text]) => text)
      expect(resolved.filter((target) => !/^(packages|examples)\/[\w-]+$/.test(target))).to.deep.equal([])
    })

    it('holds the builds for every platform, without which `npm ci` refuses it', () => {
      const packages = lock.packages as Record<string, { optionalDependencies?: Json }>
      const paths = Object.keys(packages)
      const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
        Object.keys(optionalDependencies),
      )
      expect(
        wanted.filter((name) => !paths.some((path) => path.endsWith(`node_modules/${name}`))),
      ).to.deep.equal([])
    })

    it('names no host but in what packages say about themselves', () => {
      const notes = new Set(['funding', 'deprecated', 'license'])
      const hosts = texts.filter(
        ([path, text]) => text.includes('://') && !path.some((key) => notes.has(key)),
      )
      expect(hosts).to.deep.equal([])
    })
  })

describe('the workspace packages', () => {
  const rootPackage = readJson('package.json')

  for (const folder of workspaces) {
    const own = readJson(`${folder}/package.json`)

    it(`${folder} has the root’s version, licence and engines`, () => {
      const { version, license, engines } = own
      const { version: rootVersion, license: rootLicense, engines: rootEngines } = rootPackage
      expect({ version, license, engines }).to.deep.equal({
        version: rootVersion,
        license: rootLicense,
        engines: rootEngines,
      })
    })

    it(`${folder} depends on its siblings in this very version`, () => {
      const siblings = Object.entries({ ...(own.dependencies as Json) }).filter(([name]) =>
        name.startsWith('@token-socket/'),
      )
      for (const [name, range] of siblings) expect(range, name).to.equal(rootPackage.version)
    })

    it(`${folder} carries the licence`, () => {
      const text = readFileSync(`${root}/LICENSE`, 'utf8')
      expect(text).to.match(/^MIT License\n/)
      expect(readFileSync(`${root}/${folder}/LICENSE`, 'utf8')).to.equal(text)
    })
  }
})
