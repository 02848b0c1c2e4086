/** What contributors and users of the registry read, against the repository. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect } from 'chai'

const { load } = createRequire(import.meta.url)('js-yaml') as { load(text: string): unknown }
const root = new URL('../..', import.meta.url).pathname
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const json = (path: string) => JSON.parse(read(path))
const REPOSITORY = 'https://github.com/token-socket/token-socket'
const packages = readdirSync(join(root, 'packages'))
const { scripts } = json('package.json')

/** The npm scripts and files of `scripts` that a text runs. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/npm (?:run )?([a-z][a-z:]*)(?= |`|\n|$)/g)].map(([, name = '']) => name)
}

/** npm's own commands. */
const OWN = new Set(['ci', 'install', 'pack', 'publish', 'registry'])

describe('what contributors read', () => {
  for (const file of [
    'CONTRIBUTING.md',
    'AGENTS.md',
    '.github/workflows/ci.yml',
    '.github/workflows/release.yml',
  ])
    it(`names commands that exist, in ${file}`, () => {
      const unknown = commandsIn(read(file)).filter((name) => !OWN.has(name) && !Object.hasOwn(scripts, name))
      expect(unknown).to.deep.equal([])
    })

  it('names tasks of Grunt that exist', () => {
    const grunt = read('Gruntfile.js')
    const texts = ['CONTRIBUTING.md', '.github/workflows/ci.yml', '.github/workflows/release.yml'].map(read)
    const tasks = texts.join('\n').matchAll(/npx grunt ([a-z]+)/g)
    const names = [...tasks].map(([, name = '']) => name)
    expect(names).to.include.members(['clean', 'release', 'list'])
    for (const name of names)
      expect(grunt, name).to.match(new RegExp(`^ {2}${name}: |registerTask\\('${name}'`, 'm'))
  })

  it('names files that exist', () => {
    const files = [...read('CONTRIBUTING.md').matchAll(/`((?:test|scripts|docs)\/[\w./-]+)`/g)]
    expect(files).to.have.length.above(10)
    for (const [, file = ''] of files) expect(existsSync(join(root, file)), file).to.equal(true)
    const tests = [...read('CONTRIBUTING.md').matchAll(/`([\w-]+\.test\.ts)`/g)].map(([, name = '']) => name)
    const all = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    for (const name of tests)
      expect(
        all.some((path) => path.endsWith(`/${name}`)),
        name,
      ).to.equal(true)
  })

  it('is in forms and workflows that are YAML', () => {
    const folders = ['.github/workflows', '.github/ISSUE_TEMPLATE']
    const files = folders.flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
    )
    expect(files).to.have.length(5)
    for (const file of files) expect(load(read(file)), file).to.be.an('object')
  })

  it('has the version of the packages in the change log', () => {
    const { version } = json('packages/server/package.json')
    expect(read('CHANGELOG.md')).to.match(new RegExp(`^## ${version.replaceAll('.', '\\.')}\\b`, 'm'))
  })
})

describe('the packages', () => {
  it('are released together', () => {
    const { fixed } = json('.changeset/config.json')
    expect(fixed).to.have.length(1)
    expect(fixed[0]).to.have.members(packages.map((name) => `@token-socket/${name}`))
    const versions = packages.map((name) => json(`packages/${name}/package.json`).version)
    expect(new Set(versions).size).to.equal(1)
  })

  for (const name of packages) {
    const manifest = json(`packages/${name}/package.json`)
    it(`say where ${name} comes from`, () => {
      expect(manifest.repository).to.deep.equal({
        type: 'git',
        url: `git+${REPOSITORY}.git`,
        directory: `packages/${name}`,
      })
      expect(manifest.homepage).to.equal(`${REPOSITORY}/tree/main/packages/${name}#readme`)
      expect(manifest.bugs).to.equal(`${REPOSITORY}/issues`)
      expect(manifest.keywords).to.have.length.above(4)
      expect(manifest.publishConfig).to.deep.equal({ access: 'public', provenance: true })
    })

    it(`have a README that stands on its own: ${name}`, () => {
      const text = read(`packages/${name}/README.md`)
      const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link)
      for (const link of links) expect(link).to.match(/^(https:\/\/|#)/)
      const own = links.filter((link) => link.startsWith(`${REPOSITORY}/blob/main/`))
      expect(own, 'no link to the documents').not.to.have.length(0)
      for (const link of own) {
        const [path = ''] = link.slice(`${REPOSITORY}/blob/main/`.length).split('#')
        expect(existsSync(join(root, path)), path).to.equal(true)
      }
      expect(text).to.include('Nothing is published to the npm registry yet')
    })
  }
})
