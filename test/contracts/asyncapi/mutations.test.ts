/** Documents with parts replaced or taken away at random: each gives a contract that compiles and loads, or a ModelError. */
import type { Contract } from '@token-socket/contract'
import { fromAsyncApi, ModelError, toAsyncApi } from '@token-socket/contract/asyncapi'
import { expect } from 'chai'
import fc from 'fast-check'
import { contract } from './every-kind.js'
import { compile, importContract, makeFolder, removeFolder } from './generated-files.js'

type Path = readonly string[]

interface Mutation {
  readonly path: Path
  /** What is put there; the part is taken away where there is none. */
  readonly value?: unknown
}

const DOCUMENT = JSON.stringify(toAsyncApi(contract as Contract, { title: 'Every kind', version: '1.0.0' }))

function* pathsIn(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value)) yield* pathsIn(child, [...path, key])
}

const REPLACEMENTS: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, '', 'x', '#', '#/', '#/components', 'http://x', [], {}, [null], [{}]],
  ...[{ $ref: 1 }, { $ref: '#' }, { $ref: '#/operations' }, { $ref: '#/components/schemas/Person' }],
  ...[{ type: 'object' }, { type: ['string', 'null'] }, { kind: 'channel' }, { kind: 'both', name: 'x.y' }],
  ...[{ error: 'timeout' }, { error: 'constructor' }, { event: '' }, { presence: true }, ['a', 'a']],
]

const mutations: fc.Arbitrary<Mutation> = fc.record(
  {
    path: fc.constantFrom(...pathsIn(JSON.parse(DOCUMENT))),
    value: fc.oneof(fc.constantFrom(...REPLACEMENTS), fc.jsonValue({ maxDepth: 2 })),
  },
  { requiredKeys: ['path'] },
)

/** A document with mutations; those whose place another one has taken away change nothing. */
function mutated(all: readonly Mutation[]): unknown {
  const document: unknown = JSON.parse(DOCUMENT)
  for (const { path, ...replacement } of all) {
    const parent = path.slice(0, -1).reduce<unknown>((value, key) => Object(value)[key], document)
    if (typeof parent !== 'object' || parent === null) continue
    if ('value' in replacement) Reflect.set(parent, path.at(-1) ?? '', replacement.value)
    else Reflect.deleteProperty(parent, path.at(-1) ?? '')
  }
  return document
}

describe('a document with random mutations', function () {
  this.timeout(120_000)
  let folder: string
  const generated: Record<string, string> = {}

  before(async () => {
    folder = await makeFolder()
  })

  after(() => removeFolder(folder))

  it('gives a contract that loads, or a ModelError', async () => {
    const property = fc.asyncProperty(fc.array(mutations, { minLength: 1, maxLength: 3 }), async (all) => {
      const text = await fromAsyncApi(mutated(all), { onWarning: () => undefined }).catch(
        (error: unknown) => {
          if (error instanceof ModelError) return undefined
          throw error
        },
      )
      if (text === undefined) return
      generated[`contract${Object.keys(generated).length}.ts`] = text
      await importContract(folder, text)
    })
    await fc.assert(property, { numRuns: 60 })
    expect(generated).to.not.deep.equal({})
  })

  it('gives contracts that compile strictly', async () => {
    expect(await compile(folder, generated)).to.equal('')
  })
})
