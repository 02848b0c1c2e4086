/** What installs packages, and what does not. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { missingLinks, missingPackages } from '../../scripts/installed.mjs'
import { root } from './source-file.js'

type Packages = Parameters<typeof missingPackages>[0]

const read = (file: string) => readFileSync(join(root, file), 'utf8')

describe('the check of what is installed', () => {
  const wanted: Packages = {
    '': { version: '1.0.0' },
    'packages/new': { version: '0.1.0' },
    'node_modules/new': { resolved: 'packages/new', link: true },
    'node_modules/a': { version: '1.0.0' },
    'packages/new/node_modules/a': { version: '2.0.0' },
    'node_modules/only-for-macs': { version: '1.0.0', optional: true },
    'node_modules/a-peer-of-a': { version: '1.0.0', peer: true },
    'node_modules/a-peer-and-ours': { version: '1.0.0', peer: true, dev: true },
  }
  const all = {
    'node_modules/a': { version: '1.0.0' },
    'packages/new/node_modules/a': { version: '2.0.0' },
    'node_modules/a-peer-and-ours': { version: '1.0.0' },
  }

  const rows: Readonly<Record<string, readonly [installed: Packages, missing: readonly string[]]>> = {
    'nothing, where only a workspace is new': [all, []],
    'a package': [{ ...all, 'node_modules/a': undefined as never }, ['node_modules/a']],
    'a package of a workspace': [
      { ...all, 'packages/new/node_modules/a': undefined as never },
      ['packages/new/node_modules/a'],
    ],
    'another version': [{ ...all, 'node_modules/a': { version: '0.9.0' } }, ['node_modules/a']],
    'another version of what may be missing': [
      { ...all, 'node_modules/only-for-macs': { version: '0.9.0' } },
      ['node_modules/only-for-macs'],
    ],
    everything: [{}, Object.keys(all)],
  }
  for (const [title, [installed, missing]] of Object.entries(rows))
    it(`misses ${title}`, () => expect(missingPackages(wanted, installed)).to.deep.equal(missing))

  it('finds the links that a new workspace needs', () => {
    const link = { path: 'node_modules/new', target: 'packages/new' }
    expect(missingLinks(wanted, () => false)).to.deep.equal([link])
    expect(missingLinks(wanted, () => true)).to.deep.equal([])
  })
})

describe('the commands', () => {
  const scripts: Readonly<Record<string, string>> = JSON.parse(read('package.json')).scripts

  /** Whether a script imports another, by way of others too. */
  const reaches = (script: string, target: string): boolean =>
    script === target ||
    [...read(join('scripts', script)).matchAll(/from '\.\/([\w-]+\.mjs)'/g)].some(([, name]) =>
      reaches(String(name), target),
    )

  it('install what is missing, by their `npm run`', () => {
    for (const name of ['model', 'payloads', 'chaos', 'abuse', 'matrix'])
      expect(scripts[name]).to.equal(`node scripts/run.mjs ${name}`)
    expect(reaches('run.mjs', 'install.mjs')).to.equal(true)
  })

  it('install nothing when a test starts them', () => {
    const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    const started = files
      .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
      .flatMap((file) => [...read(join('test', file)).matchAll(/['/]scripts\/([\w-]+\.mjs)'/g)])
      .map(([, name]) => String(name))
    expect(started).to.include('model.mjs')
    expect([...new Set(started)].filter((name) => reaches(name, 'install.mjs'))).to.deep.equal([])
  })
})
