import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { INTERNAL_NAMES } from '../../scripts/internal-names.mjs'
import { isNode, type Node, nodesOf, readSources, root } from './source-file.js'

const names: readonly string[] = INTERNAL_NAMES
const sources = readSources().filter(({ name }) => /^(client|protocol)\//.test(name))

/** The files whose types applications see: their options, what listeners get, what they call. */
const publicFiles = [
  'client/channels/bindings',
  'client/runtime/callback',
  'client/channels/channel',
  'client/calls/client-controller',
  'client/client',
  'client/runtime/emitter',
  'client/channels/events',
  'client/settings/options',
  'client/channels/publications',
  'protocol/controller',
  'protocol/errors',
  'protocol/call-options',
  'protocol/pending-calls',
]

/** The classes of those files that applications never have an object of, and the types that only these use. */
const internalTypes = new Set(['Bindings', 'ChannelOwner', 'ChannelSocket', 'PendingCalls', 'Settings'])

const wordsOf = (text: string) => new Set<string>(text.match(/\w+/g))
const read = (path: string) => readFileSync(path, 'utf8')
const nameOf = (value: unknown) => (isNode(value) && typeof value.name === 'string' ? value.name : '')

function* membersOf(node: Node): Generator<string> {
  if (internalTypes.has(nameOf(node.id))) return
  if (isNode(node.key) && node.computed !== true) yield nameOf(node.key)
  for (const value of Object.values(node)) {
    for (const child of [value].flat()) if (isNode(child)) yield* membersOf(child)
  }
}

/** What must not be renamed, by why. */
const reserved: Readonly<Record<string, () => ReadonlySet<string>>> = {
  'a member of something in browsers or in the language': () => {
    const { resolve } = createRequire(import.meta.url)
    const compiler = dirname(
      resolve(`@typescript/typescript-${process.platform}-${process.arch}/package.json`),
    )
    const libraries = readdirSync(join(compiler, 'lib')).filter((name) => /^lib\.(dom|es)/.test(name))
    const texts = libraries.map((name) => read(join(compiler, 'lib', name)))
    return new Set(
      texts.flatMap((text) =>
        [...text.matchAll(/^\s*(?:(?:readonly|get|set|declare var) )*"?(\w+)"?\??[<(:]/gm)].map(
          ([, name]) => name ?? '',
        ),
      ),
    )
  },
  'in a message of the wire': () =>
    wordsOf([...read(`${root}/docs/PROTOCOL.md`).matchAll(/```[\s\S]*?```/g)].join('\n')),
  'a member of what applications see': () =>
    new Set(
      sources
        .filter(({ name }) => publicFiles.includes(name))
        .flatMap(({ program }) => [...membersOf(program)]),
    ),
  'a text in the sources, which could be the key of something': () =>
    new Set(
      sources.flatMap(({ program }) =>
        [...nodesOf(program)].filter(({ type }) => type === 'Literal').map(({ value }) => String(value)),
      ),
    ),
  'in EventEmitter3': () => wordsOf(read(`${root}/node_modules/eventemitter3/index.js`)),
}

describe('the names that the client’s scripts shorten', () => {
  for (const [why, find] of Object.entries(reserved)) {
    it(`hold none that is ${why}`, () => {
      const found = find()
      expect(found.size).to.be.above(10)
      expect(names.filter((name) => found.has(name))).to.deep.equal([])
    })
  }

  it('are all in the client’s sources', () => {
    const words = wordsOf(sources.map(({ text }) => text).join('\n'))
    expect(names.filter((name) => !words.has(name))).to.deep.equal([])
  })
})
