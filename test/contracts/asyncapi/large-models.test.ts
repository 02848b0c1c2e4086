import { fromAsyncApi, ModelError } from '@token-socket/contract/asyncapi'
import { expect } from 'chai'

type Json = Readonly<Record<string, unknown>>

function modelOf(payload: unknown, schemas: Json = {}): Json {
  return {
    asyncapi: '3.0.0',
    info: { title: 'Shop', version: '1.0.0' },
    channels: { orders: { address: 'orders', messages: { buy: { payload } } } },
    operations: { buy: { action: 'receive', channel: { $ref: '#/channels/orders' } } },
    components: { schemas },
  }
}

/** A document in YAML with further lines at its end. */
function yamlOf(...lines: readonly string[]): string {
  const head = [
    'asyncapi: 3.0.0',
    'channels: {c: {address: c, messages: {m: {payload: {type: string}}}}}',
    "operations: {a: {action: receive, channel: {$ref: '#/channels/c'}}}",
  ]
  return [...head, ...lines].join('\n')
}

const reference = (index: number): Json => ({ $ref: `#/components/schemas/S${index}` })

/** Schemas S0, S1 and so on. */
function schemasOf(count: number, make: (index: number) => Json): Json {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`S${index}`, make(index)]))
}

/** A schema around a text, over and over. */
function nested(levels: number, around: (inner: Json) => Json): Json {
  let schema: Json = { type: 'string' }
  for (let level = 0; level < levels; level += 1) schema = around(schema)
  return schema
}

const generate = (model: unknown): Promise<string> => fromAsyncApi(model, { onWarning: () => undefined })

async function refusal(model: unknown): Promise<string> {
  try {
    await generate(model)
  } catch (error) {
    expect(error).to.be.instanceOf(ModelError)
    return (error as ModelError).message
  }
  return expect.fail('it was accepted')
}

/** What few lines ask for, with the reason why it is refused. Walking it would take years. */
const BOMBS: Readonly<Record<string, readonly [model: unknown, message: RegExp]>> = {
  'aliases of a long text': [
    yamlOf(`x-a: &a "${'x'.repeat(1_000_000)}"`, 'x-list:', ...Array<string>(20_000).fill('- *a')),
    /more than 5000000 characters$/,
  ],
  'aliases as long keys': [
    yamlOf(`x-a: &a ${'x'.repeat(1000)}`, 'x-list:', ...Array<string>(6000).fill('- {*a : 1}')),
    /more than 5000000 characters$/,
  ],
  'aliases of aliases': [
    yamlOf(
      'x-0: &a0 [a, a]',
      ...Array.from({ length: 60 }, (_, i) => `x-${i + 1}: &a${i + 1} [*a${i}, *a${i}]`),
    ),
    /more than 500000 objects and lists$/,
  ],
  'aliases that are deep in all': [
    yamlOf('x-0: &a0 [a]', ...Array.from({ length: 200 }, (_, i) => `x-${i + 1}: &a${i + 1} [*a${i}]`)),
    /nested more than 100 levels deep$/,
  ],
  'an alias of what is around it': [yamlOf('x: &x {a: *x}'), /^#\/x\/a: it contains itself$/],
  'lists in lists in YAML': [
    yamlOf(`x: ${'['.repeat(20_000)}${']'.repeat(20_000)}`),
    /nested too deeply, or it is too large$/,
  ],
  'lists in lists in JSON': [
    `{"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    /nested more than 100 levels deep$/,
  ],
  'one object in many places of a program': [
    modelOf(nested(45, (inner) => ({ anyOf: [inner, inner] }))),
    /more than 500000 objects and lists$/,
  ],
  'required names that share a schema': [
    modelOf(nested(45, (inner) => ({ type: 'object', required: ['a', 'b'], additionalProperties: inner }))),
    /its types have more than 500000 parts$/,
  ],
  'listed names that share a schema': [
    modelOf(
      nested(40, (inner) => ({
        type: 'object',
        propertyNames: { enum: ['a', 'b'] },
        additionalProperties: inner,
      })),
    ),
    /its types have more than 500000 parts$/,
  ],
}

/** What is large, and is no more than it says. */
const LARGE: Readonly<Record<string, Json>> = {
  'a chain of 400 schemas': modelOf(
    reference(0),
    schemasOf(400, (index) => ({
      type: 'object',
      properties: { a: index < 399 ? reference(index + 1) : {} },
    })),
  ),
  'a chain of 400 choices': modelOf(
    reference(0),
    schemasOf(400, (index) => ({
      oneOf: [{ type: 'string' }, index < 399 ? reference(index + 1) : { type: 'null' }],
    })),
  ),
  '400 schemas that refer to one another': modelOf(
    reference(0),
    schemasOf(400, (index) => ({
      type: 'object',
      properties: Object.fromEntries(
        [1, 7, 13, 20].map((step) => [`p${step}`, reference((index + step) % 400)]),
      ),
    })),
  ),
  'types that are listed twice': modelOf(
    nested(45, (inner) => ({ type: ['object', 'object', 'array'], properties: { a: inner } })),
  ),
}

describe('fromAsyncApi, for a model that asks for much', () => {
  describe('refuses quickly', () => {
    for (const [name, [model, message]] of Object.entries(BOMBS)) {
      it(name, async () => {
        expect(await refusal(model)).to.match(message)
      })
    }
  })

  describe('generates in seconds', () => {
    for (const [name, model] of Object.entries(LARGE)) {
      it(name, async function () {
        this.timeout(20_000)
        expect(await generate(model)).to.match(/^export const contract = /m)
      })
    }
  })

  it('makes a contract of a long chain, or names what is too long', async function () {
    this.timeout(20_000)
    for (const count of [1000, 5000]) {
      const schemas = schemasOf(count, (index) => ({
        type: 'object',
        properties: { a: index + 1 < count ? reference(index + 1) : {} },
      }))
      const result = await generate(modelOf(reference(0), schemas)).catch((error: unknown) => error)
      if (result instanceof ModelError) expect(result.message).to.match(/too long a row$/)
      else expect(result).to.be.a('string')
    }
  })

  it('gives the place of schemas in a circle, however long', async () => {
    const schemas = schemasOf(300, (index) => ({ allOf: [reference((index + 1) % 300)] }))
    expect(await refusal(modelOf(reference(0), schemas))).to.match(
      /^#\/components\/schemas\/S\d+: it refers to itself without a property or an item between$/,
    )
  })
})
