/** What bounds the work of a check, and what its issues say. */
import { readFile } from 'node:fs/promises'
import { jsonSchema } from '@token-socket/contract/json-schema'
import { expect } from 'chai'

type Json = Readonly<Record<string, unknown>>

interface Issue {
  readonly message: string
  readonly path: readonly unknown[]
}

function issuesOf(schema: Json, value: unknown): readonly Issue[] {
  const result = jsonSchema(schema)['~standard'].validate(value) as { readonly issues?: readonly Issue[] }
  return result.issues ?? []
}

function nested(levels: number, wrap: (inner: unknown) => unknown, inner: unknown): unknown {
  return levels === 0 ? inner : nested(levels - 1, wrap, wrap(inner))
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)
const circle: Record<string, unknown> = {}
circle.a = circle
const twice = { properties: { a: { $ref: '#' } }, required: ['b'] }

const REFUSED: Readonly<Record<string, readonly [schema: Json, value: unknown, message: string]>> = {
  'a circle': [{}, circle, 'has to be nested at most 200 levels deep'],
  'a choice of choices': [
    { anyOf: [twice, twice] },
    nested(60, (a) => ({ a }), {}),
    'has to be simple enough to be checked',
  ],
  'a schema that is itself': [{ $ref: '#' }, 1, 'has to be simple enough to be checked'],
  'a long list without equal items': [{ uniqueItems: true }, numbers(5000), 'has to be of shorter lists'],
  'half a character in a name': [
    { additionalProperties: true },
    { '\ud800': 1 },
    'has to be of well-formed names',
  ],
  'a function': [{}, () => 1, 'has to be a value of JSON'],
  'what is not there': [{}, undefined, 'is required'],
}

const ACCEPTED: Readonly<Record<string, readonly [schema: Json, value: unknown]>> = {
  'as many levels': [{ type: 'array', items: { $ref: '#' } }, nested(200, (inner) => [inner], [])],
  'a list of 3,000 different items': [{ uniqueItems: true }, numbers(3000)],
  'a long list without uniqueItems': [{ items: { type: 'integer' } }, numbers(90_000)],
  'properties that do not travel': [{ maxProperties: 0 }, { a: undefined }],
  'a date as its text': [{ type: 'string', format: 'date-time' }, new Date(0)],
  'formats that are not known': [{ format: 'constructor' }, ''],
  'what the url of the library would take long for': [{ format: 'url' }, `http://${'a'.repeat(5000)}!`],
  'an $id, and names like keywords': [
    { $id: 'x:y', dependencies: { $ref: ['id'], id: [] }, examples: { id: '[' } },
    { $ref: 1, id: 2 },
  ],
  'own names that objects have': [
    { properties: { toString: { type: 'number' } }, required: ['__proto__'] },
    JSON.parse('{"toString":1,"__proto__":1}'),
  ],
}

const ISSUES: Readonly<Record<string, readonly [schema: Json, value: unknown, issues: readonly string[]]>> = {
  'the missing names': [{ required: ['a', 'b'] }, {}, ['a is required', 'b is required']],
  'names that depend on others': [{ dependencies: { a: ['b'], c: ['d'] } }, { a: 1 }, ['b is required']],
  'the index of an item': [{ items: { type: 'number' } }, [1, 'x'], ['1 has to be of type number']],
  'names with other letters': [
    { properties: { 'a/~%#': { minimum: 2 } } },
    { 'a/~%#': 1 },
    ['a/~%# has to be at least 2'],
  ],
  'the cause behind references': [
    { allOf: [{ $ref: '#/definitions/x' }], definitions: { x: { properties: { a: { maxLength: 1 } } } } },
    { a: 'secret' },
    ['a has to be at most 1 long'],
  ],
  'a choice, and not its parts': [
    { properties: { anyOf: { anyOf: [{ type: 'number' }, { minLength: 9 }] } } },
    { anyOf: 'secret' },
    ['anyOf has to be one of 2 choices'],
  ],
  'what may not be there': [{ additionalProperties: false }, { a: 'secret' }, ['a has to be left out']],
  'whole numbers of 32 bits': [{ format: 'int32' }, 2 ** 31, [' has to be at most 2147483647']],
  'no more than 20': [
    { items: { const: 0 } },
    numbers(50).map((index) => index + 1),
    numbers(20).map((index) => `${index} has to be the value of its const`),
  ],
}

/** Texts that take an expression long that may read them in many ways. */
const HARD = [
  'a',
  '1',
  '1:',
  '1.',
  '/',
  '~',
  '%',
  '(',
  '"\\ ',
  '{a',
  'a@a.',
  ' ',
  '-',
  'P1',
  'http://a',
].flatMap((part) => [`${part.repeat(20_000)}^`, `a:${part.repeat(20_000)}^`, `"${part.repeat(20_000)}\u0001`])

const FORMATS = [
  ...['byte', 'date', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'json-pointer', 'jwt'],
  ...['regex', 'relative-json-pointer', 'time', 'uri', 'uri-reference', 'uri-template', 'url', 'uuid'],
]

describe('a check by a JSON Schema', () => {
  for (const [what, [schema, value, message]] of Object.entries(REFUSED))
    it(`refuses ${what}`, () =>
      expect(issuesOf(schema, value)).to.deep.equal([{ message, path: [] }])).timeout(20_000)

  for (const [what, [schema, value]] of Object.entries(ACCEPTED))
    it(`accepts ${what}`, () => expect(issuesOf(schema, value)).to.deep.equal([])).timeout(20_000)

  for (const [what, [schema, value, wanted]] of Object.entries(ISSUES))
    it(`names ${what}`, () => {
      const texts = issuesOf(schema, value).map(({ message, path }) => `${path.join('.')} ${message}`)
      expect(texts).to.deep.equal(wanted)
    })

  for (const format of FORMATS)
    it(`looks at hard texts in short time: ${format}`, () => {
      for (const text of HARD) issuesOf({ format }, text)
    }).timeout(10_000)

  for (const pattern of ['(', 'a\\-'])
    it(`is not made of a pattern that Unicode mode refuses: ${pattern}`, () => {
      expect(() => jsonSchema({ pattern })).to.throw('regular expressions in Unicode mode')
      expect(() => jsonSchema({ patternProperties: { [pattern]: true } })).to.throw('in Unicode mode')
    })

  it('checks the formats that docs/CONTRACT.md names, and no others', async () => {
    const text = await readFile(new URL('../../../docs/CONTRACT.md', import.meta.url), 'utf8')
    const named = /Known formats are ([^.]*)\./.exec(text)?.[1]?.match(/[\w-]+/g) ?? []
    const refuses = (format: string) => [...HARD, 0.5].some((value) => issuesOf({ format }, value).length > 0)
    const checked = FORMATS.filter(refuses)
    const anyNumber = ['float', 'double']
    expect(named.filter((name) => name !== 'and' && !anyNumber.includes(name))).to.have.members([
      ...checked,
      ...['int32', 'int64'].filter(refuses),
    ])
  }).timeout(20_000)

  it('leaves the schema as it is', () => {
    const schema = Object.freeze({
      items: Object.freeze({ $ref: '#/definitions/x' }),
      definitions: { x: true },
    })
    expect(issuesOf(schema, [1])).to.deep.equal([])
    expect(Reflect.ownKeys(schema.items)).to.deep.equal(['$ref'])
  })
})
