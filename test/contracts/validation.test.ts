import type { StandardSchemaV1 } from '@standard-schema/spec'
import { encodeData, RpcError } from '@token-socket/protocol'
import { type as ark } from 'arktype'
import { expect } from 'chai'
import * as v from 'valibot'
import { z } from 'zod'
import { type } from '#contract/index.js'
import type { Schema } from '#contract/schema.js'
import {
  checked,
  type Issue,
  invalid,
  MAX_DEPTH,
  MAX_ISSUES,
  MAX_MESSAGE,
  validate,
} from '#contract/validation.js'

/** A schema whose answer is given. */
function answering(answer: (value: unknown) => unknown): Schema {
  return { '~standard': { version: 1, vendor: 'test', validate: answer as never } }
}

async function issuesOf(schema: Schema<unknown>, value: unknown): Promise<readonly Issue[]> {
  return (await validate(schema as Schema, value)).issues ?? []
}

/** What it throws or rejects with. */
async function failure(schema: Schema): Promise<Error> {
  try {
    await validate(schema, 1)
  } catch (error) {
    return error as Error
  }
  throw new Error('it did not fail')
}

/** The same schemas in each library. */
const LIBRARIES: Readonly<Record<string, Readonly<Record<string, StandardSchemaV1>>>> = {
  Zod: {
    user: z.strictObject({
      name: z.string(),
      deep: z.object({ list: z.array(z.number()), mail: z.email(), role: z.enum(['admin', 'user']) }),
    }),
    numbers: z.array(z.number()),
    either: z.union([z.string().max(3), z.object({ a: z.number() })]),
    record: z.record(z.string().max(3), z.number()),
    date: z.string().transform((text) => new Date(text)),
  },
  Valibot: {
    user: v.strictObject({
      name: v.string(),
      deep: v.object({
        list: v.array(v.number()),
        mail: v.pipe(v.string(), v.email()),
        role: v.picklist(['admin', 'user']),
      }),
    }),
    numbers: v.array(v.number()),
    either: v.union([v.pipe(v.string(), v.maxLength(3)), v.object({ a: v.number() })]),
    record: v.record(v.pipe(v.string(), v.maxLength(3)), v.number()),
    date: v.pipe(
      v.string(),
      v.transform((text) => new Date(text)),
    ),
  },
  ArkType: {
    user: ark({
      '+': 'reject',
      name: 'string',
      deep: { list: 'number[]', mail: 'string.email', role: "'admin' | 'user'" },
    }),
    numbers: ark('number[]'),
    either: ark('string <= 3').or({ a: 'number' }),
    record: ark({ '[string <= 3]': 'number', '+': 'reject' }),
    date: ark('string').pipe((text) => new Date(text)),
  },
}

describe('#validate', () => {
  for (const [library, { user, numbers, either, record, date }] of Object.entries(LIBRARIES)) {
    describe(`with ${library}`, () => {
      it('gives what the schema makes of a value, at once', () => {
        expect(validate(date as Schema, '2020-01-01')).to.deep.equal({ value: new Date('2020-01-01') })
      })

      it('says where a value is wrong: missing, extra and wrong fields, at depth', async () => {
        const value = { nam: 'x', deep: { list: [1, 'x'], mail: 'a', role: 'b' } }
        const paths = (await issuesOf(user as Schema, value)).map(({ path }) => path.join('.'))
        expect(paths).to.include.members(['name', 'deep.list.1', 'deep.mail', 'deep.role'])
        expect(paths.some((path) => path === 'nam' || path === '')).to.equal(true)
        expect(await issuesOf(user as Schema, undefined)).to.have.nested.property('[0].path').that.is.empty
      })

      it('never holds the value', async () => {
        const secret = 'se)cret "value" (was 5) received'
        const values: readonly (readonly [StandardSchemaV1 | undefined, unknown])[] = [
          [user, { name: 424242, deep: { list: [secret], mail: secret, role: secret } }],
          [user, secret],
          [numbers, [secret, { secret }, 1]],
          [either, secret],
          [either, { a: secret }],
          [either, 424242],
        ]
        for (const [schema, value] of values) {
          const issues = await issuesOf(schema as Schema, value)
          expect(issues).not.to.have.length(0)
          expect(encodeData(issues)).not.to.match(/se\)|secr|value\\|424242/)
          for (const { message } of issues) expect(message).to.match(/\w{4}/)
        }
      })

      it('says what a part has to be', async () => {
        const [issue] = await issuesOf(numbers as Schema, ['x'])
        expect(issue?.path).to.deep.equal([0])
        expect(issue?.message).to.match(/number/)
      })

      it('stays small, whatever arrives', async () => {
        const long = 'k'.repeat(100_000)
        const many = await issuesOf(numbers as Schema, Array(10_000).fill(long))
        expect(many).to.have.length(MAX_ISSUES)
        const keys = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${long}${index}`, 'x']))
        for (const issues of [many, await issuesOf(record as Schema, keys)])
          expect(encodeData(issues).length).to.be.below(8000)
      })
    })
  }

  it('gives what a schema says later, in its time', async () => {
    const later = z.string().refine(async (text) => text === 'x')
    expect(await validate(later, 'x')).to.deep.equal({ value: 'x' })
    expect(await issuesOf(later, 'y')).to.have.length(1)
    const thenable = answering(() =>
      Object.fromEntries([['then', (done: (result: object) => void) => done({ value: 7 })]]),
    )
    expect(await validate(thenable, 1)).to.deep.equal({ value: 7 })
  })

  it('fails with an Error that is no RpcError, whatever a schema throws or gives', async () => {
    const cause = new RpcError('forbidden')
    const schemas = [
      answering(() => {
        throw cause
      }),
      answering(() => Promise.reject(cause)),
      answering(() => undefined),
      answering(() => null),
      answering(() => Promise.resolve(undefined)),
      answering(() => ({ issues: 5 })),
      answering(() => ({ issues: [undefined] })),
      answering(() => ({ issues: [{ message: 'x', path: [null] }] })),
    ]
    for (const schema of schemas) {
      const error = await failure(schema)
      expect(RpcError.is(error)).to.equal(false)
      expect(error.message).to.equal('A schema failed to validate')
      expect(error.cause).to.be.an('error')
    }
    expect((await failure(schemas[0] as Schema)).cause).to.equal(cause)
  })

  it('reads paths of every kind', async () => {
    const path = [{ key: 'a' }, 0, Symbol('s'), { key: Symbol('t') }, ...Array(100).fill('d')]
    const [issue] = await issuesOf(answering(() => ({ issues: [{ message: 'x', path }] })) as Schema, {})
    expect(issue?.path.slice(0, 5)).to.deep.equal(['a', 0, 'Symbol(s)', 'Symbol(t)', 'd'])
    expect(issue?.path).to.have.length(MAX_DEPTH)
  })

  it('takes the value out of an application’s own texts, and cuts them', async () => {
    const own = z.object({ a: z.string().refine(() => false, { error: ({ input }) => `bad ${input}` }) })
    expect(await issuesOf(own, { a: 'secret' })).to.deep.equal([{ path: ['a'], message: 'Invalid value' }])
    const long = answering(() => ({ issues: [{ message: 'x'.repeat(1000) }] }))
    expect((await issuesOf(long, 1))[0]?.message).to.have.length(MAX_MESSAGE)
  })

  it('keeps an application’s own texts', async () => {
    const valibot = v.pipe(v.string(), v.email('Bad mail'))
    const arktype = ark('number').narrow((_, context) => context.reject({ message: 'Bad number' }))
    expect((await issuesOf(valibot as Schema, 'secret'))[0]?.message).to.equal('Bad mail')
    expect((await issuesOf(arktype as Schema, 1))[0]?.message).to.equal('Bad number')
  })
})

describe('#checked', () => {
  it('gives the schemas that have to be asked', () => {
    expect(checked(z.string())).to.be.an('object')
    expect(checked(type<string>())).to.equal(undefined)
    expect(checked(undefined)).to.equal(undefined)
  })
})

describe('#invalid', () => {
  it('names the operation and the first issue', () => {
    const issues = [{ path: ['a', 0], message: 'Expected number' }]
    const error = invalid('invalid_input', { function: 'nested.op' }, issues)
    expect(error.message).to.equal('Invalid input: nested.op: a.0: Expected number')
    expect(error.data).to.deep.equal({ function: 'nested.op', issues })
    expect(invalid('invalid_output', { channel: 'room-7' }, []).message).to.equal('Invalid output: room-7')
  })

  it('has a short text', () => {
    const issues = [{ path: Array(32).fill('x'.repeat(100)), message: 'm' }]
    expect(invalid('invalid_input', { function: 'x' }, issues).message).to.have.length(400)
  })
})
