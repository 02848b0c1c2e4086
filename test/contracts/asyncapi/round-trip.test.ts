/** Contract → AsyncAPI → contract keeps every operation, every type and every check. */
import type { Contract, Schema } from '@token-socket/contract'
import { fromAsyncApi, toAsyncApi } from '@token-socket/contract/asyncapi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { expect } from 'chai'
import { contract as original } from './every-kind.js'
import { compile, importContract, makeFolder, removeFolder } from './generated-files.js'
import { others } from './other-libraries.js'

const OPTIONS = { title: 'Every kind', version: '1.0.0' }
const unexpected = (text: string): void => expect.fail(text)

interface Place {
  readonly name: string
  readonly path: readonly string[]
  readonly schema: Schema | undefined
}

/** Every schema of a contract, and the path to it. */
function* placesOf(value: unknown, path: readonly string[] = []): Generator<Place> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value)) {
    const own = [...path, key]
    if (typeof child === 'object' && child !== null && '~standard' in child) {
      yield { name: own.join(' '), path: own, schema: child as Schema }
    } else yield* placesOf(child, own)
  }
}

const kinds = {
  text: 'abc',
  'quoted "name"': true,
  optional: 'x',
  nullable: null,
  literal: 'a',
  literals: 1,
  choice: 'y',
  union: { k: 'q' },
  shapes: { kind: 'circle', radius: 1 },
  list: ['a'],
  pair: ['a', 1],
  rest: ['a', 1, 2],
  record: { z: 1 },
  fixed: { a: 1, b: 2 },
  open: { id: 'x', more: 1 },
  closed: { id: 'x' },
  anything: [1],
  nothing: null,
}

const formats = {
  at: '2026-01-02T03:04:05Z',
  day: '2026-01-02',
  mail: 'a@example.com',
  id: '6f9619ff-8b86-4011-b42d-00c04fc964ff',
  code: 'AB1',
  whole: 3,
  step: 1.5,
  exclusive: 0.5,
}

/** Values that any of the schemas may accept or refuse. */
const samples: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  1.5,
  -1,
  '',
  'yes',
  '2026-01-02T03:04:05Z',
  [],
  ['a'],
  {},
  { name: 'x' },
  { name: 1 },
  { name: 'x', age: 1.5 },
  { name: 'x', age: -1 },
  { name: 'x', more: 1 },
  { name: 'x', folders: [{ name: 'y', folders: [] }] },
  { name: 'x', folders: [{ name: 'y', folders: [{ name: 'z' }] }] },
  { a: 1, b: 2 },
  { a: 1, b: '2' },
  { left: 1 },
  { greeting: 'x' },
  { x: 1, y: 2 },
  { x: 1 },
  { text: 'x' },
  { from: { name: 'a' }, to: { name: 'b', age: 3 } },
  { from: { name: 'a' }, to: { age: 3 } },
  [{ name: 'x' }],
  [['x', { name: 'y' }]],
  [['x', { name: 'y' }, 1]],
  kinds,
  formats,
  ...Object.entries({
    text: ['a', 'abcdef', 1],
    'quoted "name"': ['true', undefined],
    optional: [1, undefined],
    defaulted: ['y', 1],
    nullable: [1, '1', undefined],
    literal: ['b'],
    literals: ['a', true, null, 2, 'true'],
    choice: ['z'],
    union: ['x', 1, { k: 'r' }],
    shapes: [
      { kind: 'square', side: 1 },
      { kind: 'circle', side: 1 },
      { kind: 'circle', radius: 0 },
    ],
    list: [[], ['a', 'b', 'c', 'd'], [1]],
    pair: [['a'], ['a', 1, 2], [1, 'a']],
    rest: [[], ['a'], ['a', 'b']],
    record: [{}, { z: 'x' }],
    fixed: [{ a: 1 }, { a: 1, b: 2, c: 3 }],
    open: [{}, { id: 1 }],
    closed: [{ id: 'x', more: 1 }],
    anything: [null],
    nothing: [0, undefined],
  }).flatMap(([key, values]) => values.map((value) => ({ ...kinds, [key]: value }))),
  ...Object.entries({
    at: ['2026-01-02', '2026-13-02T03:04:05Z'],
    day: ['2026-02-30', 'x'],
    mail: ['x'],
    id: ['x'],
    code: ['ab1', 'ABC'],
    whole: [0, 11, 1.5],
    step: [0.3],
    exclusive: [0, 1],
  }).flatMap(([key, values]) => values.map((value) => ({ ...formats, [key]: value }))),
]

async function accepts(schema: Schema, value: unknown): Promise<boolean> {
  const { issues } = await schema['~standard'].validate(structuredClone(value))
  return issues === undefined
}

describe('a contract that became a document and a contract again', () => {
  let folder: string
  let text: string
  let generated: Contract

  before(async () => {
    folder = await makeFolder()
    text = await fromAsyncApi(toAsyncApi(original, { ...OPTIONS, onWarning: unexpected }), {
      onWarning: unexpected,
    })
    generated = await importContract(folder, text)
  })

  after(() => removeFolder(folder))

  it('has the same operations, channels, events and errors', () => {
    const names = (contract: Contract) => [...placesOf(contract.definition)].map(({ name }) => name).sort()
    expect(names(generated)).to.deep.equal(names(original as Contract))
    expect(generated.definition.server?.ping).to.deep.equal(original.definition.server.ping)
  })

  it('accepts and refuses the same values', async () => {
    const others = new Map([...placesOf(generated.definition)].map(({ name, schema }) => [name, schema]))
    let accepted = 0
    for (const { name, schema } of placesOf(original.definition)) {
      const other = others.get(name)
      if (!schema || !other) return expect.fail(name)
      for (const value of samples) {
        const wanted = await accepts(schema, value)
        if (wanted) accepted += 1
        expect(await accepts(other, value), `${name} ${JSON.stringify(value)}`).to.equal(wanted)
      }
    }
    expect(accepted).to.be.greaterThan(60)
  })

  it('becomes a document with the same operations and channels', () => {
    const again = toAsyncApi(generated, { ...OPTIONS, onWarning: unexpected })
    const { channels, operations } = toAsyncApi(original as Contract, OPTIONS)
    expect(Object.keys(again.operations)).to.deep.equal(Object.keys(operations))
    expect(Object.keys(again.channels)).to.deep.equal(Object.keys(channels))
  })

  it('compiles strictly, and has equal types', async function () {
    this.timeout(120_000)
    const fixture = new URL('./every-kind.ts', import.meta.url).pathname.replace(/\.ts$/, '.js')
    const checks = [...placesOf(original.definition)].map(({ path }) => {
      const keys = path.map((key) => `[${JSON.stringify(key)}]`).join('')
      return `check<Equal<Sent<Original${keys}>, Sent<Generated${keys}>>>(true)`
    })
    // Each property of the largest type for itself, so that a failure names it.
    const input = "['server']['nested']['deep']['kinds']['~procedure']['input']"
    for (const key of Object.keys({ ...kinds, defaulted: 1 })) {
      const property = `[${JSON.stringify(key)}]`
      checks.push(`check<Equal<Sent<Original${input}>${property}, Sent<Generated${input}>${property}>>(true)`)
    }
    const comparison = `
import type { Contract, Sent } from '@token-socket/contract'
import type { contract as original } from '${fixture}'
import type { contract as generated } from './contract.js'
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Definition<C> = C extends Contract<infer D> ? D : never
type Original = Definition<typeof original>
type Generated = Definition<typeof generated>
function check<T extends boolean>(equal: T): void { void equal }
${checks.join('\n')}
`
    expect(checks).to.have.length.greaterThan(20)
    const errors = await compile(folder, { 'contract.ts': text, 'comparison.ts': comparison })
    const lines = comparison.split('\n')
    const places = [...errors.matchAll(/comparison\.ts\((\d+)/g)].map(([, line]) => lines[Number(line) - 1])
    expect(places).to.deep.equal([])
    expect(errors).to.equal('')
  })
})

describe('contracts of other libraries that became documents and contracts again', () => {
  it('have equal types', async function () {
    this.timeout(120_000)
    const folder = await makeFolder()
    try {
      const document = toAsyncApi(others, { ...OPTIONS, converters: { valibot: toStandardJsonSchema } })
      const comparison = `
import type { Sent } from '@token-socket/contract'
import type { others as original } from '${new URL('./other-libraries.js', import.meta.url).pathname}'
import type { contract as generated } from './contract.js'
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Server<C> = C extends { definition: { server: infer S } } ? S : never
type Input<C, Name extends keyof Server<C>> = Server<C>[Name] extends { '~procedure': { input: infer S } } ? Sent<S> : never
function check<T extends boolean>(equal: T): void { void equal }
check<Equal<Input<typeof original, 'arktype'>, Input<typeof generated, 'arktype'>>>(true)
check<Equal<Input<typeof original, 'valibot'>, Input<typeof generated, 'valibot'>>>(true)
// @ts-expect-error the comparison notices a difference
check<Equal<Input<typeof original, 'valibot'>, Input<typeof generated, 'arktype'>>>(true)
`
      const files = { 'contract.ts': await fromAsyncApi(document), 'comparison.ts': comparison }
      // These libraries say of optional properties that they are not `undefined`.
      expect(await compile(folder, files, { exactOptionalPropertyTypes: false })).to.equal('')
    } finally {
      await removeFolder(folder)
    }
  })
})
