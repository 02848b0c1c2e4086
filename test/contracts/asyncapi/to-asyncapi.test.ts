import { type Contract, defineContract, procedure, type Schema, type } from '@token-socket/contract'
import { type AsyncApiOptions, toAsyncApi } from '@token-socket/contract/asyncapi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type as arktype } from 'arktype'
import { expect } from 'chai'
import * as v from 'valibot'
import { z } from 'zod'
import { contract } from './every-kind.js'
import { problemsOf } from './parser.js'

const OPTIONS = { title: 'Shop', version: '1.2.3' }

/** A document, and the warnings on the way to it. */
function make(of: Contract, options: Partial<AsyncApiOptions> = {}) {
  const warnings: string[] = []
  const onWarning = (text: string): void => void warnings.push(text)
  return { document: toAsyncApi(of, { ...OPTIONS, onWarning, ...options }), warnings }
}

/** The document of a contract with one operation of the server. */
function makeOf(input: Schema | undefined, options: Partial<AsyncApiOptions> = {}) {
  const { document, warnings } = make(defineContract({ server: { op: procedure({ input }) } }), options)
  return { document, warnings, message: document.channels.op?.messages.input }
}

describe('toAsyncApi', () => {
  it('makes a document that the parser of AsyncAPI accepts', async function () {
    this.timeout(60_000)
    const { document, warnings } = make(contract as Contract, { url: 'wss://example.com/sockets' })
    expect(warnings).to.deep.equal([])
    expect(await problemsOf(document)).to.deep.equal([])
  })

  it('gives the same document for the same contract', () => {
    const texts = [1, 2].map(() => JSON.stringify(make(contract as Contract).document))
    expect(texts[0]).to.equal(texts[1])
  })

  it('says what the API is, and where', () => {
    const { document } = make(contract as Contract, {
      description: 'Sells',
      url: 'https://example.com:8080/sockets',
    })
    expect(document).to.deep.include({
      asyncapi: '3.0.0',
      info: { title: 'Shop', version: '1.2.3', description: 'Sells' },
      servers: { default: { host: 'example.com:8080', protocol: 'wss', pathname: '/sockets' } },
    })
  })

  for (const [field, options] of Object.entries({
    title: { title: '' },
    version: { version: 1 as unknown as string },
    url: { url: 'example' },
  })) {
    it(`refuses a wrong ${field}`, () => {
      expect(() => make(contract as Contract, options)).to.throw(`Invalid option: ${field} has to be`)
    })
  }

  it('refuses a url of another protocol', () => {
    for (const url of ['ftp://example.com', 'javascript:alert(1)', 'file:///tmp/x'])
      expect(() => make(contract as Contract, { url })).to.throw('Invalid option: url has to be')
  })

  describe('writes', () => {
    const { document } = make(contract as Contract)

    it('what clients call as received by the server, with the answer and the errors as its reply', () => {
      expect(document.operations['nested.add']).to.deep.equal({
        action: 'receive',
        channel: { $ref: '#/channels/nested.add' },
        messages: [{ $ref: '#/channels/nested.add/messages/input' }],
        reply: {
          channel: { $ref: '#/channels/nested.add' },
          messages: [
            { $ref: '#/channels/nested.add/messages/output' },
            { $ref: '#/channels/nested.add/messages/errors.sold_out' },
            { $ref: '#/channels/nested.add/messages/errors.too_late' },
          ],
        },
        'x-token-socket': { kind: 'server', name: 'nested.add' },
      })
      expect(document.channels['nested.add']?.messages['errors.sold_out']).to.deep.equal({
        payload: { $ref: '#/components/schemas/nested.add.errors.sold_out' },
        'x-token-socket': { error: 'sold_out' },
      })
    })

    it('one-way messages without a reply', () => {
      expect(document.operations.sayHello).to.not.have.property('reply')
    })

    it('what the server calls as sent by it', () => {
      expect(document.operations.sendGreeting).to.include({ action: 'send' })
    })

    it('what both call as both', () => {
      const both = { kind: 'both', name: 'move' }
      expect(document.operations.move).to.deep.include({ action: 'receive', 'x-token-socket': both })
      expect(document.operations['move.send']).to.deep.include({ action: 'send', 'x-token-socket': both })
    })

    it('an operation without input as a message without payload', () => {
      expect(document.channels.ping?.messages).to.deep.equal({ input: {} })
    })

    it('what may be left out as optional', () => {
      expect(document.channels.find?.messages.input).to.deep.include({ 'x-token-socket': { optional: true } })
    })

    it('channels with their parameters, events and presence', () => {
      const channel = document.channels['channel.room-id']
      expect(channel).to.deep.include({ address: 'room-{id}', parameters: { id: {} } })
      expect(channel?.messages).to.have.keys('say', 'is-typing', 'presence')
      expect(channel?.messages['is-typing']?.['x-token-socket']).to.deep.equal({ event: 'is typing' })
      expect(channel?.messages.presence?.['x-token-socket']).to.deep.equal({ presence: true })
      expect(document.operations['channel.room-id.publish']).to.include({ action: 'receive' })
      expect(document.operations['channel.room-id.deliver']).to.include({ action: 'send' })
    })

    it('schemas with a name of their own once', () => {
      expect(document.components.schemas.Person).to.have.property('type', 'object')
      expect(document.components.schemas['befriend.input']).to.have.nested.property(
        'properties.from.$ref',
        '#/components/schemas/Person',
      )
    })

    it('schemas that refer to themselves', () => {
      expect(document.components.schemas['tree.input']).to.have.nested.property(
        'properties.folders.items.$ref',
        '#/components/schemas/tree.input',
      )
    })
  })

  it('keeps two schemas of one name apart', () => {
    const person = (field: z.ZodType) => {
      const schema = z.object({ field })
      z.globalRegistry.add(schema, { id: 'Twin' })
      const op = procedure({ input: z.object({ schema }) })
      const made = make(defineContract({ server: { op } })).document.components.schemas
      z.globalRegistry.remove(schema)
      return { op, made }
    }
    expect(person(z.string()).made).to.have.property('Twin')
    const definitions = (type: string) => ({
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) => ({ value }),
        jsonSchema: {
          input: () => ({ $ref: '#/definitions/Twin', definitions: { Twin: { type } } }),
        },
      },
    })
    const server = {
      a: procedure({ input: definitions('string') }),
      b: procedure({ input: definitions('null') }),
    }
    const { components, channels } = make(defineContract({ server })).document
    expect(components.schemas).to.deep.equal({ Twin: { type: 'string' }, 'b.input.Twin': { type: 'null' } })
    expect(channels.b?.messages.input?.payload).to.deep.equal({ $ref: '#/components/schemas/b.input.Twin' })
  })

  it('moves references into definitions, also below them and in properties of any name', () => {
    const item = { type: 'object', properties: { id: { type: 'string' } } }
    const ref = { $ref: '#/definitions/Item' }
    const input: Schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) => ({ value }),
        jsonSchema: {
          input: () => ({
            type: 'object',
            properties: {
              item: ref,
              id: { $ref: '#/definitions/Item/properties/id' },
              same: { $ref: '#/properties/item' },
              self: { $ref: '#' },
              elsewhere: { $ref: 'https://example.com/schema.json' },
              default: ref,
              enum: { properties: { $ref: ref, const: ref } },
              properties: ref,
            },
            default: { item: ref },
            definitions: { Item: item },
          }),
        },
      },
    } as Schema
    const { schemas } = makeOf(input).document.components
    const moved = { $ref: '#/components/schemas/Item' }
    expect(schemas).to.deep.equal({
      Item: item,
      'op.input': {
        type: 'object',
        properties: {
          item: moved,
          id: { $ref: '#/components/schemas/Item/properties/id' },
          same: { $ref: '#/components/schemas/op.input/properties/item' },
          self: { $ref: '#/components/schemas/op.input' },
          elsewhere: { $ref: 'https://example.com/schema.json' },
          default: moved,
          enum: { properties: { $ref: moved, const: moved } },
          properties: moved,
        },
        // A value, not a schema.
        default: { item: ref },
      },
    })
  })

  it('keeps the schemas of an operation and of a channel apart', () => {
    const both = defineContract({
      server: { channel_: procedure({ input: z.string() }), a: { b: procedure({ input: z.string() }) } },
      channels: { 'a.b': { events: { input: z.number() } }, 'a b': { events: { input: z.null() } } },
    })
    const { components, channels } = make(both).document
    expect(Object.values(components.schemas)).to.have.length(4)
    expect(Object.keys(channels)).to.have.length(4)
  })

  describe('describes what travels', () => {
    it('before transforms', () => {
      const { document } = makeOf(z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }))
      expect(document.components.schemas['op.input']).to.have.nested.property(
        'properties.at.format',
        'date-time',
      )
    })

    it('by ArkType', () => {
      const { document, warnings } = makeOf(
        arktype({ name: 'string', 'age?': 'number' }) as unknown as Schema,
      )
      expect(warnings).to.deep.equal([])
      expect(document.components.schemas['op.input']).to.have.nested.property(
        'properties.name.type',
        'string',
      )
    })

    it('by Valibot, with its converter, or wrapped in it', () => {
      const schema = v.object({ name: v.string() })
      const converted = makeOf(schema, { converters: { valibot: toStandardJsonSchema } })
      const wrapped = makeOf(toStandardJsonSchema(schema))
      expect(converted.warnings).to.deep.equal([])
      expect(converted.document).to.deep.equal(wrapped.document)
      expect(converted.document.components.schemas['op.input']).to.have.property('type', 'object')
    })
  })

  describe('leaves a payload open, and names the operation and the reason,', () => {
    const throwing = (input: () => unknown): Schema =>
      ({
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value: unknown) => ({ value }),
          jsonSchema: { input },
        },
      }) as unknown as Schema

    const OPEN: Readonly<Record<string, readonly [Schema, RegExp]>> = {
      'for a type without a check': [
        type<Date>(),
        /^op \(input\) has an open payload: type<T>\(\) says nothing at run time/,
      ],
      'for Valibot without its converter': [
        v.string(),
        /^op \(input\) has an open payload: valibot describes/,
      ],
      'for what JSON does not have': [
        z.date(),
        /^op \(input\) has an open payload: Date cannot be represented/,
      ],
      'for a schema that throws': [
        throwing(() => {
          throw new Error('I can’t')
        }),
        /: I can’t$/,
      ],
      'for a schema that throws a text': [
        throwing(() => {
          throw 'a text'
        }),
        /: a text$/,
      ],
      'for a schema that gives no object': [throwing(() => 'x'), /: its JSON Schema is no object$/],
      'for a schema that gives nothing': [throwing(() => undefined), /has an open payload/],
      'for a schema that gives a circle': [
        throwing(() => {
          const circle: Record<string, unknown> = {}
          circle.circle = circle
          return circle
        }),
        /circular/,
      ],
    }

    for (const [name, [schema, warning]] of Object.entries(OPEN)) {
      it(name, () => {
        const { message, warnings } = makeOf(schema)
        expect(message?.payload).to.deep.equal({})
        expect(warnings).to.have.length(1)
        expect(warnings[0]).to.match(warning)
      })
    }

    it('also of answers, errors, events and presence', () => {
      const open = defineContract({
        server: { op: procedure({ output: type<1>(), errors: { no_luck: type<2>() } }) },
        channels: { room: { events: { say: type<3>() }, presence: type<4>() } },
      })
      const subjects = make(open).warnings.map((text) => text.replace(/ has an open payload.*/, ''))
      expect(subjects).to.deep.equal([
        'op (output)',
        'op (errors.no_luck)',
        'channel room (say)',
        'channel room (presence)',
      ])
    })

    it('by console.warn, where no `onWarning` is given', () => {
      const { warn } = console
      const texts: unknown[] = []
      console.warn = (text: unknown) => texts.push(text)
      try {
        toAsyncApi(defineContract({ server: { op: procedure({ input: type<1>() }) } }), OPTIONS)
      } finally {
        console.warn = warn
      }
      expect(texts).to.have.length(1)
    })
  })

  it('leaves patterns with flags out, and names their places', () => {
    const zod = makeOf(z.object({ code: z.string().regex(/^a$/i).regex(/b/u) }))
    expect(zod.warnings).to.deep.equal([
      'op (input) at /properties/code: JSON Schema has no flags; /^a$/i is left out',
    ])
    const text = JSON.stringify(zod.document.components)
    expect(text).to.include('"pattern":"b"').and.not.include('^a$')
    const ark = makeOf(arktype({ code: /^a$/i, other: /^b$/ }))
    expect(ark.warnings).to.deep.equal(['op (input): JSON Schema has no flags; /^a$/i is left out'])
    expect(JSON.stringify(ark.document.components)).to.include('^b$').and.not.include('^a$')
  })

  it('asks a schema only whether it may be left out, and takes no harm from those that throw or wait', () => {
    const asked: unknown[] = []
    const schema = (validate: (value: unknown) => unknown): Schema =>
      ({ '~standard': { version: 1, vendor: 'test', validate, jsonSchema: { input: () => ({}) } } }) as Schema
    const throws = schema((value) => {
      asked.push(value)
      throw new Error('no')
    })
    const rejects = schema(async () => {
      throw new Error('no')
    })
    for (const one of [throws, rejects]) expect(makeOf(one).message).to.not.have.property('x-token-socket')
    expect(asked).to.deep.equal([undefined])
  })
})
