import { type Schema, type } from '@token-socket/contract'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type as ark } from 'arktype'
import { expect } from 'chai'
import * as v from 'valibot'
import { z } from 'zod'
import { makeData } from '#contract/mock/data/made-data.js'
import { errorOf } from '../client/waiting.js'

interface Tree {
  readonly value: number
  readonly children: readonly Tree[]
}
const tree: z.ZodType<Tree> = z.object({
  value: z.number(),
  get children() {
    return z.array(tree)
  },
})

/** Schemas of kinds that are not the same to all makers of data. */
const SCHEMAS: Readonly<Record<string, Schema>> = {
  'objects with formats': z.object({ id: z.uuid(), email: z.email(), at: z.iso.datetime(), url: z.url() }),
  patterns: z.string().regex(/^[A-Z]{3}-\d{4}$/),
  bounds: z.array(z.int().min(3).max(5)).min(2).max(2),
  unions: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), x: z.number() }),
    z.object({ kind: z.literal('b'), y: z.string() }),
  ]),
  tuples: z.tuple([z.string(), z.number()]),
  records: z.record(z.string(), z.number()),
  'strict objects': z.strictObject({ a: z.string(), b: z.boolean().optional() }),
  recursion: tree,
  'rules that JSON Schema lacks': z.number().refine((number) => number > 0),
  'transforms, before them': z.string().transform((text) => text.length),
  'Valibot’s, wrapped': toStandardJsonSchema(v.object({ name: v.pipe(v.string(), v.minLength(2)) })),
  ArkType: ark({
    name: 'string >= 2',
    age: '0 <= number.integer <= 150',
    'note?': 'string',
  }) as unknown as Schema,
  'asynchronous schemas': z.string().refine(async (text) => text.length >= 0),
}

describe('made data', () => {
  const purpose = (seed: string) => ({ name: 'nested.op', part: 'output', seed })

  for (const [kind, schema] of Object.entries(SCHEMAS)) {
    it(`is what its schema accepts: ${kind}`, async () => {
      for (let seed = 0; seed < 20; seed += 1) {
        const data = await makeData(schema, purpose(String(seed)))
        expect((await schema['~standard'].validate(data)).issues).to.equal(undefined)
        expect(JSON.parse(JSON.stringify(data))).to.deep.equal(data)
        expect(await makeData(schema, purpose(String(seed)))).to.deep.equal(data)
      }
    })
  }

  it('is one of the schema’s own examples where it has some', async () => {
    const schema = z.string().meta({ examples: ['Ann', 'Bob'] })
    expect(['Ann', 'Bob']).to.include(await makeData(schema, purpose('1')))
  })

  const without: readonly (readonly [what: string, schema: Schema, reason: string])[] = [
    ['`type<T>()`', type<string>(), 'type<T>() says nothing at run time'],
    ['Valibot’s own', v.object({ a: v.string() }), 'toStandardJsonSchema'],
    ['what JSON lacks', z.date(), 'no JSON Schema'],
    ['what nothing fits', z.never(), 'refuses whatever'],
    ['rules that no try meets', z.string().refine(() => false), 'refuses whatever'],
    [
      'schemas that throw',
      z.string().refine(() => {
        throw new Error('broken')
      }),
      'broken',
    ],
  ]
  for (const [what, schema, reason] of without) {
    it(`there is none, and the error says why: ${what}`, async () => {
      const error = await errorOf(makeData(schema, purpose('1')))
      expect(error.code).to.equal('no_mock_data')
      expect(error.message).to.include('nested.op').and.include(reason).and.include('Pass a handler')
    })
  }
})
