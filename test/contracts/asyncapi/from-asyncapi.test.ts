import { readFileSync } from 'node:fs'
import { fromAsyncApi, ModelError } from '@token-socket/contract/asyncapi'
import { expect } from 'chai'
import fc from 'fast-check'
import { compile, importContract, makeFolder, removeFolder } from './generated-files.js'

type Json = Readonly<Record<string, unknown>>

/** A model with one operation, and what is given in place of its parts. */
function modelOf(parts: Json = {}): Json {
  return {
    asyncapi: '3.0.0',
    info: { title: 'Shop', version: '1.0.0' },
    channels: { orders: { address: 'orders', messages: { buy: { payload: { type: 'string' } } } } },
    operations: { buy: operationOn('orders') },
    ...parts,
  }
}

function operationOn(channel: string, parts: Json = {}): Json {
  return { action: 'receive', channel: { $ref: `#/channels/${channel}` }, ...parts }
}

/** A model whose one payload is a schema. */
function schemaModel(payload: unknown, components: Json = {}): Json {
  const channels = { orders: { address: 'orders', messages: { buy: { payload } } } }
  return modelOf({ channels, components })
}

const warnings: string[] = []
const onWarning = (text: string): void => void warnings.push(text)
const generate = (model: unknown): Promise<string> => fromAsyncApi(model, { onWarning })

async function refusal(model: unknown): Promise<string> {
  try {
    await generate(model)
  } catch (error) {
    expect(error).to.be.instanceOf(ModelError)
    return (error as ModelError).message
  }
  return expect.fail('it was accepted')
}

/** The table of models that are refused, each with the place and the reason. */
const REFUSED: Readonly<Record<string, readonly [model: unknown, message: RegExp]>> = {
  'a number': [1, /^the document \(#\): it has to be an object/],
  'a list': [[], /^the document \(#\): it has to be an object/],
  'a text that is no JSON': ['{ "asyncapi": ', /^the document \(#\): it is no JSON: /],
  'a text that is no YAML': ['a: [', /^the document \(#\): it is no JSON and no YAML: /],
  'a text of 5 MB': [`{"a":"${'x'.repeat(5_000_000)}"}`, /^the document \(#\): it is longer than 5000000 /],
  'an object of another kind': [{ openapi: '3.1.0' }, /^the document \(#\): it is no AsyncAPI document/],
  'AsyncAPI 2': [
    modelOf({ asyncapi: '2.6.0' }),
    /"2.6.0"; version 3 is needed. Convert it: npx @asyncapi\/cli/,
  ],
  'AsyncAPI 4': [modelOf({ asyncapi: '4.0.0' }), /"4.0.0"; version 3 is needed$/],
  'an operation without a channel': [
    modelOf({ operations: { buy: { action: 'send' } } }),
    /^operation buy \(#\/operations\/buy\): it has no channel/,
  ],
  'an operation without an action': [
    modelOf({ operations: { buy: operationOn('orders', { action: 'ask' }) } }),
    /^operation buy \(#\/operations\/buy\): its action has to be send or receive/,
  ],
  'an operation without messages': [
    modelOf({ channels: { orders: { address: 'orders' } } }),
    /^operation buy \(#\/operations\/buy\): it has no messages/,
  ],
  'an operation that is a text': [
    modelOf({ operations: { buy: 'x' } }),
    /^operation buy .*has to be an object/,
  ],
  'a reply without messages': [
    modelOf({ operations: { buy: operationOn('orders', { reply: {} }) } }),
    /^operation buy \(#\/operations\/buy\/reply\): it has no messages/,
  ],
  'a channel without messages': [
    modelOf({ channels: { room: { address: 'room-{id}' } }, operations: {} }),
    /^channel room \(#\/channels\/room\): it has no messages/,
  ],
  'two channels of one address': [
    modelOf({
      channels: { a: { address: 'room-{id}', messages: {} }, b: { address: 'room-{id}', messages: {} } },
    }),
    /^channel b \(#\/channels\/b\): it has the address of the channel at #\/channels\/a/,
  ],
  'two operations of one name': [
    modelOf({ operations: { 'buy-it': operationOn('orders'), buyIt: operationOn('orders') } }),
    /^operation buyIt .*it has the name "buyIt", as the operation at #\/operations\/buy-it has/,
  ],
  'an operation within another': [
    modelOf({ operations: { buy: operationOn('orders'), 'buy.all': operationOn('orders') } }),
    /^operation buy.all .*goes on after another/,
  ],
  'an operation around another': [
    modelOf({ operations: { 'buy.all': operationOn('orders'), buy: operationOn('orders') } }),
    /^operation buy .*begins another/,
  ],
  'an operation without a name': [
    modelOf({ operations: { '': operationOn('orders') } }),
    /^operation {2}\(#\/operations\/\): "" can’t be the name/,
  ],
  ...Object.fromEntries(
    ['constructor', 'toString', 'a.hasOwnProperty', '1st', 'a..b'].map((name) => [
      `an operation named ${name}`,
      [
        modelOf({ operations: { [name]: operationOn('orders') } }),
        /^operation .* can’t be the name of an operation$/,
      ] as const,
    ]),
  ),
  ...Object.fromEntries(
    ['then', 'a.then', 'auth', '_secret', 'handle', 'x'.repeat(300)].map((name) => [
      `an operation named ${name.slice(0, 20)}`,
      [
        modelOf({ operations: { ok: operationOn('orders'), [name]: operationOn('orders') } }),
        /^operation .* \(#\/operations\/.*\): Invalid option: server\./,
      ] as const,
    ]),
  ),
  'operations whose names meet at the client': [
    modelOf({
      operations: {
        move: operationOn('orders', { 'x-token-socket': { kind: 'both' } }),
        other: operationOn('orders'),
        'move.send': operationOn('orders', { action: 'send' }),
        another: operationOn('orders'),
      },
    }),
    /^operation move.send \(#\/operations\/move.send\): Invalid option: move has to be one thing only/,
  ],
  'an operation in another alphabet': [
    modelOf({ operations: { 買う: operationOn('orders') } }),
    /^operation 買う \(#\/operations\/買う\): "買う" has letters other than A to Z/,
  ],
  'a choice of schemas without a type, that is elsewhere': [
    schemaModel(
      { oneOf: [{ $ref: '#/components/schemas/A' }, { type: 'string' }] },
      { schemas: { A: { properties: { b: { type: 'string' } } } } },
    ),
    /payload\/oneOf\/0\): the schema #\/components\/schemas\/A has no type. Name its type/,
  ],
  'a key __proto__': [
    `{"asyncapi":"3.0.0","operations":{"__proto__":{}}}`,
    /^#\/operations: the name __proto__ can’t be used/,
  ],
  'a property __proto__': [
    `{"asyncapi":"3.0.0","components":{"schemas":{"A":{"properties":{"__proto__":{}}}}}}`,
    /^#\/components\/schemas\/A\/properties: the name __proto__/,
  ],
  'a reference to an address': [
    schemaModel({ $ref: 'https://example.com/a.json' }),
    /^channel orders .*its \$ref leads out of the document: "https:\/\/example.com\/a.json"/,
  ],
  'a reference to a file': [
    schemaModel({ $ref: './a.json#/b' }),
    /^channel orders .*leads out of the document/,
  ],
  'a reference to /etc/passwd': [
    schemaModel({ properties: { a: { $ref: 'file:///etc/passwd' } } }),
    /^channel orders \(#\/channels\/orders\/messages\/buy\/payload\/properties\/a\): .*leads out/,
  ],
  'a reference to nothing': [schemaModel({ $ref: '#/components/x' }), /^channel orders .*leads nowhere/],
  'a reference that is no URI': [schemaModel({ $ref: '#/components/%E0%A4%A' }), /leads nowhere: .*%E0/],
  'a reference to what objects inherit': [schemaModel({ $ref: '#/constructor' }), /leads nowhere/],
  'a reference that is a number': [schemaModel({ $ref: 1 }), /its \$ref has to be a text/],
  'a message that refers out': [
    modelOf({ channels: { orders: { messages: { buy: { $ref: 'other.json' } } } } }),
    /^channel orders \(#\/channels\/orders\/messages\/buy\): its \$ref leads out/,
  ],
  'references in a circle': [
    schemaModel(
      { $ref: '#/components/schemas/A' },
      {
        schemas: { A: { $ref: '#/components/schemas/B' }, B: { $ref: '#/components/schemas/A' } },
      },
    ),
    /its \$ref leads in a circle/,
  ],
  'a schema that is itself': [
    schemaModel(
      { $ref: '#/components/schemas/A' },
      {
        schemas: { A: { allOf: [{ $ref: '#/components/schemas/A' }] } },
      },
    ),
    /^#\/components\/schemas\/A: it refers to itself without a property or an item between/,
  ],
  'a choice of itself': [
    schemaModel(
      { $ref: '#/components/schemas/A' },
      {
        schemas: {
          A: { anyOf: [{ type: 'string' }, { $ref: '#/components/schemas/B' }] },
          B: { oneOf: [{ type: 'null' }, { $ref: '#/components/schemas/A' }] },
        },
      },
    ),
    /^#\/components\/schemas\/[AB]: it refers to itself without a property or an item between/,
  ],
  'a YAML that contains itself': [
    'asyncapi: 3.0.0\nchannels: &all\n  again: *all\n',
    /^channel again .*it contains itself/,
  ],
  'a YAML of many aliases': [
    `a: &a0 [x]\n${Array.from({ length: 20 }, (_, n) => `b${n}: &a${n + 1} [*a${n}, *a${n}]`).join('\n')}\n`,
    /it has more than 500000 objects and lists/,
  ],
  ...Object.fromEntries(
    [
      ['a number that JSON does not have', 'a: .inf', /^a: JSON has no|JSON has no number Infinity/],
      ['a merge of a text', 'a: { <<: x }', /its merge key << has to have an object, or a list of them/],
      ['a merge of a list of texts', 'a: { <<: [x] }', /its merge key << has to have an object/],
      ['a merge key in quotes', 'a: { "<<": {} }', /a key << in quotes can’t be told from a merge key/],
      ['binary data', 'a: !!binary aGk=', /it is no JSON and no YAML: unknown tag/],
      ['a set', 'a: !!set { x }', /it is no JSON and no YAML: unknown tag/],
      ['an ordered map', 'a: !!omap [x: 1]', /it is no JSON and no YAML: unknown tag/],
      ['a date with its tag', 'a: !!timestamp 2026-01-01', /it is no JSON and no YAML: unknown tag/],
      ['a function', 'a: !!js/function "x"', /it is no JSON and no YAML: unknown tag/],
      ['a key twice', 'a: 1\na: 2', /it is no JSON and no YAML: duplicated mapping key/],
      ['an object as a key', '? { a: 1 }\n: 1', /a key of YAML has to be a text/],
      ['two documents', 'a: 1\n---\nb: 2', /it is no JSON and no YAML/],
      ['a merged key __proto__', 'a: { <<: { __proto__: { b: 1 } } }', /the name __proto__ can’t be used/],
    ].map(([name, text, message]) => [
      `YAML: ${name}`,
      [`asyncapi: 3.0.0\n${text}`, message as RegExp] as const,
    ]),
  ),
  'half a character': [schemaModel({ properties: { '\ud800': {} } }), /a text is no Unicode: "\\ud800"/],
  'half a character in a text': [
    schemaModel({ const: '\udc00' }),
    /const: a text is no Unicode|const\): a text is no/,
  ],
  'what JSON does not have': [modelOf({ id: 1n }), /^the document \(#\): it is no JSON: /],
  'deep nesting': [
    `{"asyncapi":"3.0.0","a":${'['.repeat(200)}${']'.repeat(200)}}`,
    /nested more than 100 levels deep/,
  ],
  'a schema of another language': [
    schemaModel({ schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: {} }),
    /^channel orders .*its schemaFormat "application\/vnd.apache.avro;version=1.9.0" is none of JSON Schema/,
  ],
  ...Object.fromEntries(
    Object.entries({
      'a schema that is a text': ['x', /payload\): it has to be a schema/],
      'an unknown type': [{ type: 'float' }, /payload\/type\): it has to be a type of JSON Schema/],
      'no type': [{ type: [] }, /a type of JSON Schema, or a list/],
      'a length that is a text': [
        { type: 'string', minLength: '1' },
        /minLength\): it has to be a whole number/,
      ],
      'a bound that is no number': [
        { type: 'number', exclusiveMinimum: true },
        /exclusiveMinimum\): .*a number/,
      ],
      'a pattern that is none': [
        { type: 'string', pattern: '(' },
        /pattern\): it has to be a regular expression/,
      ],
      'an empty choice': [{ anyOf: [] }, /anyOf\): it has to be a list of schemas/],
      'properties in a list': [{ properties: [] }, /properties\): it has to be an object of schemas/],
      'names that are none': [{ required: true }, /required\): it has to be a list of names/],
      'literals that are no list': [{ enum: 'a' }, /enum\): it has to be a list of values/],
      'a pattern of names that is none': [{ patternProperties: { '(': {} } }, /"\(" has to be a regular/],
      'a multiple of nothing': [{ multipleOf: 0 }, /multipleOf\): it has to be a number above 0/],
      'dependencies that are none': [{ dependencies: { a: 1 } }, /dependencies\/a\): it has to be a schema/],
      ...Object.fromEntries(
        ['prefixItems', 'dependentRequired', 'unevaluatedProperties', '$dynamicRef', 'minContains'].map(
          (keyword) => [
            `the later keyword ${keyword}`,
            [{ [keyword]: {} }, /payload\): the keyword .* can’t be checked/] as const,
          ],
        ),
      ),
    }).map(([name, [schema, message]]) => [name, [schemaModel(schema), message] as const]),
  ),
}

describe('fromAsyncApi', () => {
  let folder: string

  before(async () => {
    folder = await makeFolder()
  })

  after(() => removeFolder(folder))

  beforeEach(() => {
    warnings.length = 0
  })

  describe('refuses', () => {
    for (const [name, [model, message]] of Object.entries(REFUSED)) {
      it(name, async () => {
        expect(await refusal(model)).to.match(message)
      })
    }

    it('with a message on one line, that is short', async () => {
      const name = `a\nb${'c'.repeat(10_000)}`
      const message = await refusal(modelOf({ operations: { [name]: { action: 'x' } } }))
      expect(message).to.not.include('\n')
      expect(message.length).to.be.lessThan(1000)
    })

    it('with the pointer', async () => {
      const error = await generate(schemaModel({ type: 'float' })).catch((caught: unknown) => caught)
      expect(error).to.include({ pointer: '#/channels/orders/messages/buy/payload/type' })
    })
  })

  describe('reads', () => {
    const operationsOf = async (model: unknown) => {
      const contract = await importContract(folder, await generate(model))
      return contract.definition
    }

    it('YAML, whose texts stay texts', async () => {
      const yaml = readFileSync(new URL('./lights.yaml', import.meta.url), 'utf8')
      const { server, client } = await operationsOf(yaml)
      expect(server).to.have.keys('turnOn')
      expect(client).to.have.keys('lightMeasured')
      expect(await generate(yaml)).to.include("since?: '2026-01-01' | undefined")
    })

    it('merge keys of YAML, and aliases', async () => {
      const yaml = `
asyncapi: 3.0.0
x-base: &base { type: object, properties: &names { a: { type: number }, c: { type: string } } }
x-other: &other { type: string, required: [c] }
x-operation: &operation { action: receive, channel: { $ref: '#/channels/orders' } }
channels:
  orders:
    messages:
      buy: { payload: { <<: [*base, *other], required: [a] } }
      sell: { payload: { type: object, properties: { <<: *names, c: { type: boolean } } } }
      read: { payload: *base }
operations: { go: { <<: *operation } }
`
      const text = await generate(yaml)
      expect(text).to.include("required: ['a'],").and.not.include('<<')
      expect(text).to.match(/GoBuyInput \{\n {2}a: number\n {2}c\?: string \| undefined/)
      expect(text).to.match(/GoSellInput \{\n {2}a\?: number \| undefined\n {2}c\?: boolean \| undefined/)
      expect(text).to.match(/GoReadInput \{\n {2}a\?: number/)
    })

    it('properties whose names are those of methods', async () => {
      const names = ['hasOwnProperty', 'toString', 'constructor', 'valueOf', 'isPrototypeOf']
      const properties = Object.fromEntries(names.map((name) => [name, { type: 'number' }]))
      const text = await generate(schemaModel({ type: 'object', properties, required: names }))
      for (const name of names) expect(text).to.include(`\n  ${name}: number\n`)
      const { server } = (await importContract(folder, text)).definition
      const { input } = Reflect.get(Object(server), 'buy')['~procedure']
      const values = Object.fromEntries(names.map((name) => [name, 1]))
      expect(input['~standard'].validate(values).issues).to.equal(undefined)
      expect(input['~standard'].validate({}).issues).to.have.length(names.length)
    })

    it('names with letters of other alphabets as A to Z, and warns of it', async () => {
      const operations = { bestellung_größe: operationOn('orders'), 'Ændern-été': operationOn('orders') }
      const { server } = await operationsOf(modelOf({ operations }))
      expect(server).to.have.keys('bestellung_grosse', 'AEndernEte')
      expect(warnings).to.include(
        '#/operations/bestellung_größe: "bestellung_größe" is "bestellung_grosse" in the contract',
      )
    })

    it('what the application receives as what clients call, and what it sends as what the server calls', async () => {
      const operations = { buy: operationOn('orders'), sold: operationOn('orders', { action: 'send' }) }
      const definition = await operationsOf(modelOf({ operations }))
      expect(definition.server).to.have.keys('buy')
      expect(definition.client).to.have.keys('sold')
    })

    it('names with other characters as words', async () => {
      const { server } = await operationsOf(modelOf({ operations: { 'buy-it now!': operationOn('orders') } }))
      expect(server).to.have.keys('buyItNow')
    })

    it('an operation with several messages as one operation for each', async () => {
      const messages = {
        buy: { payload: { type: 'string' } },
        sell: { payload: { type: 'number' } },
        stop: {},
      }
      const model = modelOf({ channels: { orders: { address: '/', messages } } })
      const { server } = await operationsOf(model)
      expect(server?.buy).to.have.keys('buy', 'sell', 'stop')
      expect(Reflect.get(Object(server?.buy), 'stop')['~procedure']).to.not.have.property('input')
    })

    it('a reply with several messages as an answer that is one of them', async () => {
      const reply = { channel: { $ref: '#/channels/answers' } }
      const answers = { messages: { a: { payload: { type: 'string' } }, b: { payload: { type: 'number' } } } }
      const channels = { ...Object(modelOf().channels), answers }
      const { server } = await operationsOf(
        modelOf({ channels, operations: { buy: operationOn('orders', { reply }) } }),
      )
      const { output } = Reflect.get(Object(server), 'buy')['~procedure']
      const accepts = (value: unknown) => output['~standard'].validate(value).issues === undefined
      expect(['x', 1, true].map(accepts)).to.deep.equal([true, true, false])
    })

    it('a reply with errors only as an answer without data', async () => {
      const gone = { payload: { type: 'string' }, 'x-token-socket': { error: 'gone' } }
      const channels = { ...Object(modelOf().channels), answers: { messages: { gone } } }
      const reply = { channel: { $ref: '#/channels/answers' } }
      const { server } = await operationsOf(
        modelOf({ channels, operations: { buy: operationOn('orders', { reply }) } }),
      )
      const { output, errors } = Reflect.get(Object(server), 'buy')['~procedure']
      expect(errors).to.have.keys('gone')
      expect(output['~standard'].validate(undefined)).to.deep.equal({ value: undefined })
    })

    it('a channel with parameters as a channel, its messages as events', async () => {
      const room = { address: 'room-{id}', messages: { say: { payload: { type: 'string' } }, stop: {} } }
      const model = modelOf({ channels: { room }, operations: { say: operationOn('room') } })
      const { channels, server } = await operationsOf(model)
      expect(server).to.equal(undefined)
      expect(channels?.['room-{id}']?.events).to.have.keys('say', 'stop')
    })

    it('schemas that refer to themselves', async () => {
      const Tree = {
        type: 'object',
        properties: { children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } },
      }
      const text = await generate(schemaModel({ $ref: '#/components/schemas/Tree' }, { schemas: { Tree } }))
      expect(text).to.include('children?: Tree[] | undefined')
    })

    const refTo = (name: string) => ({ $ref: `#/components/schemas/${name}` })
    const Leaf = { type: 'object', properties: { a: refTo('A') }, additionalProperties: false }
    const aliases: Readonly<Record<string, Json>> = {
      'of a schema that refers back': { A: { allOf: [refTo('Leaf')] }, Leaf },
      'of a schema that refers back by another one': {
        A: { allOf: [refTo('Leaf')] },
        B: { anyOf: [refTo('A')] },
        Leaf: { ...Leaf, properties: { a: refTo('B') } },
      },
      'of one another': { A: { allOf: [refTo('B')] }, B: { allOf: [refTo('Leaf')] }, Leaf },
    }
    for (const [title, schemas] of Object.entries(aliases))
      for (const first of ['A', 'Leaf'])
        it(`schemas that are only another one, ${title}, from ${first}`, async () => {
          const model = schemaModel(refTo(first), { schemas })
          const { server } = await operationsOf(model)
          const { input } = Reflect.get(Object(server), 'buy')['~procedure']
          const accepts = (value: unknown) => input['~standard'].validate(value).issues === undefined
          expect([{}, { a: { a: {} } }].map(accepts)).to.deep.equal([true, true])
          expect([1, { a: 1 }, { a: { b: {} } }].map(accepts)).to.deep.equal([false, false, false])
        })

    it('constraints beside one another as constraints that all hold', async () => {
      const schema = {
        properties: { a: { type: 'string' } },
        required: ['a', 'b'],
        anyOf: [{ properties: { c: { type: 'number' } } }, { properties: { d: { type: 'string' } } }],
        oneOf: [{ required: ['e'] }],
        allOf: [{ properties: { f: { type: 'string' } } }],
      }
      const { server } = await operationsOf(schemaModel(schema))
      const { input } = Reflect.get(Object(server), 'buy')['~procedure']
      const accepts = (value: unknown) => input['~standard'].validate(value).issues === undefined
      expect(accepts({ a: 'x', b: 1, e: 1 })).to.equal(true)
      for (const wrong of [
        { b: 1, e: 1 },
        { a: 'x', e: 1 },
        { a: 'x', b: 1 },
        { a: 'x', b: 1, e: 1, f: 1 },
      ]) {
        expect(accepts(wrong), JSON.stringify(wrong)).to.equal(false)
      }
    })

    it('a tuple with optional elements as a choice of tuples, and an open payload as `unknown`', async () => {
      const pair = {
        type: 'array',
        items: [{ type: 'string' }, { type: 'number' }],
        minItems: 1,
        maxItems: 2,
      }
      expect(await generate(schemaModel(pair))).to.match(
        /export type BuyInput = \[string\] \| \[string, number\]/,
      )
      expect(await generate(schemaModel({}))).to.match(/export type BuyInput = unknown/)
    })

    it('objects of a program as JSON has them', async () => {
      const at = new Date(0)
      const payload = {
        type: 'object',
        properties: { at: { const: at }, none: undefined },
        required: new Array(2),
      }
      expect(await generate(schemaModel({ ...payload, required: ['at'] }))).to.include(
        "at: '1970-01-01T00:00:00.000Z'",
      )
      expect(await refusal(schemaModel(payload))).to.match(/required\): it has to be a list of names/)
    })

    it('and warns of what is not checked, and of channels that no operation has', async () => {
      const payload = {
        type: 'object',
        properties: {
          a: { type: 'string', format: 'phone' },
          b: { $ref: '#/components/schemas/B', minLength: 2 },
        },
      }
      const channels = { orders: { messages: { buy: { payload } } }, alone: { messages: { tell: {} } } }
      await generate(modelOf({ channels, components: { schemas: { B: { type: 'string' } } } }))
      expect(warnings.sort()).to.deep.equal([
        '#/channels/alone: no operation has its messages; they are left out',
        '#/channels/orders/messages/buy/payload/properties/a: the format "phone" is not checked',
        '#/channels/orders/messages/buy/payload/properties/b: beside $ref, draft-07 ignores minLength; put both into an allOf',
      ])
    })

    it('and warns of what it leaves out', async () => {
      const payload = { type: 'string', nullable: true, title: 'x', 'x-more': 1 }
      const channels = { orders: { messages: { buy: { payload, headers: {} } } } }
      await generate(modelOf({ channels }))
      expect(warnings).to.have.length(2)
      expect(warnings.join('\n'))
        .to.match(/no headers here/)
        .and.match(/the keyword "nullable" is unknown/)
    })
  })

  it('gives the same text for the same document', async () => {
    const yaml = readFileSync(new URL('./lights.yaml', import.meta.url), 'utf8')
    expect(await generate(yaml)).to.equal(await generate(yaml))
  })

  describe('writes texts of the model so that none becomes code', () => {
    /* biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are texts of models */
    const HOSTILE = [
      '*/ globalThis.broken = 1 /*',
      '`${globalThis.broken = 1}`',
      "'; globalThis.broken = 1; '",
      '"; globalThis.broken = 1; "',
      '\n globalThis.broken = 1 \n',
      '\r globalThis.broken = 1',
      '\u2028 globalThis.broken = 1',
      '\\',
      "\\'",
      '</script>',
      '${}',
      '\u202e',
      '$ref',
      '$id',
      'definitions',
      'properties',
      '@ts-ignore',
      '/** */',
      '\0',
      'tsType',
      '[k: string]',
      'constructor',
    ]
    /* biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are texts of models */

    function hostileModel(texts: readonly string[]): Json {
      const payload = (text: string): Json => ({
        type: 'object',
        title: text,
        description: text,
        $id: text,
        tsType: 'globalThis.broken',
        tsEnumNames: [text],
        properties: {
          [text]: { type: 'string', description: text, default: text, enum: [text, 'x'], examples: [text] },
          other: { const: text, title: text, tsType: `typeof import(${JSON.stringify(text)})` },
          pattern: { type: 'object', patternProperties: { '^a\\*/b`$': { type: 'string' } } },
        },
        required: [text],
      })
      const messages = Object.fromEntries(
        texts.map((text, index) => [
          `m${index}`,
          {
            name: text,
            description: text,
            payload: payload(text),
            'x-token-socket': { event: text || 'none' },
          },
        ]),
      )
      return {
        asyncapi: '3.0.0',
        info: { title: texts.join(' '), version: texts[0] ?? '' },
        channels: {
          room: { address: 'room-{id}', description: texts.join('\n'), messages },
          calls: { messages: {} },
        },
        operations: Object.fromEntries(
          texts.map((text, index) => [
            `op${index}`,
            {
              action: 'receive',
              description: text,
              channel: { $ref: '#/channels/calls' },
              messages: [{ $ref: `#/channels/room/messages/m${index}` }],
            },
          ]),
        ),
      }
    }

    it('whatever they are', async function () {
      this.timeout(120_000)
      const text = await generate(hostileModel(HOSTILE))
      const contract = await importContract(folder, text)
      expect(Reflect.get(globalThis, 'broken')).to.equal(undefined)
      expect(contract.definition.channels?.['room-{id}']?.events).to.have.keys(...HOSTILE)
      expect(Object.keys(contract.definition.server ?? {})).to.have.length(HOSTILE.length)
      expect(await compile(folder, { 'contract.ts': text })).to.equal('')
      expect(text).to.not.include('globalThis.broken |')
    })

    it('at random', async () => {
      const characters = fc.constantFrom(
        '*',
        '/',
        '`',
        "'",
        '"',
        '\\',
        '\n',
        '\r',
        '$',
        '{',
        '}',
        'a',
        '\u2028',
        '\u0000',
        '😀',
      )
      const texts = fc.array(fc.string({ unit: characters, minLength: 1, maxLength: 12 }), {
        minLength: 1,
        maxLength: 8,
      })
      await fc.assert(
        fc.asyncProperty(texts, async (all) => {
          const contract = await importContract(folder, await generate(hostileModel([...new Set(all)])))
          const events = contract.definition.channels?.['room-{id}']?.events
          expect(Object.keys(events ?? {}).sort()).to.deep.equal([...new Set(all)].sort())
        }),
        { numRuns: 30 },
      )
    })
  })

  it('takes a document of 1,000 operations in a few seconds', async function () {
    this.timeout(60_000)
    const schema = {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'number' } },
      required: ['a'],
    }
    const count = 1000
    const messages = Object.fromEntries(
      Array.from({ length: count }, (_, n) => [`m${n}`, { payload: schema }]),
    )
    const text = await generate(modelOf({ channels: { orders: { address: '/', messages } } }))
    expect(text.match(/procedure\(/g)).to.have.length(count)
  })
})
