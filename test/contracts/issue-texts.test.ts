/** The texts of issues: no library's text has a part of the value, and no text takes long. */
import { readdirSync, readFileSync } from 'node:fs'
import { type as ark } from 'arktype'
import { expect } from 'chai'
import fc from 'fast-check'
import * as v from 'valibot'
import { z } from 'zod'
import type { Schema } from '#contract/schema.js'
import { type Issue, validate } from '#contract/validation.js'

const SOURCES = ['', 'client/', 'server/'].map(
  (folder) => new URL(`../../packages/contract/src/${folder}`, import.meta.url),
)

/** Schemas that refuse most values, each in words of its library. */
const SCHEMAS: Readonly<Record<string, readonly unknown[]>> = {
  Zod: [
    z.strictObject({ a: z.number(), b: z.email().optional() }),
    z.record(z.string().max(3), z.number()),
    z.record(z.enum(['a']), z.number()),
    z.array(z.literal(['x', 'y'])),
    z.union([z.object({ k: z.literal('a') }), z.object({ k: z.literal('b') }), z.number().multipleOf(7)]),
    z.discriminatedUnion('k', [z.object({ k: z.literal('a') }), z.object({ k: z.literal('b') })]),
    z.string().regex(/^x$/).max(2),
    z.number().max(3),
    z.object({}).catchall(z.boolean()),
  ],
  Valibot: [
    v.strictObject({ a: v.number(), b: v.optional(v.pipe(v.string(), v.email())) }),
    v.record(v.pipe(v.string(), v.maxLength(3)), v.number()),
    v.record(v.picklist(['a']), v.number()),
    v.array(v.literal('x')),
    v.union([v.literal('a'), v.object({ k: v.literal('b') }), v.pipe(v.number(), v.multipleOf(7))]),
    v.variant('k', [v.object({ k: v.literal('a') }), v.object({ k: v.literal('b') })]),
    v.pipe(v.string(), v.regex(/^x$/), v.maxLength(2)),
    v.pipe(v.number(), v.maxValue(3)),
    v.intersect([v.object({ a: v.string() }), v.object({ k: v.literal('q') })]),
  ],
  ArkType: [
    ark({ '+': 'reject', a: 'number', 'b?': 'string.email' }),
    ark({ '[string <= 3]': 'number', '+': 'reject' }),
    ark('Record<string, number>'),
    ark("('x' | 'y')[]"),
    ark({ k: "'a'" }).or({ k: "'b'" }).or('number % 7'),
    ark({ a: "'x' | 'y'", k: 'string < 3' }).or({ c: 'number' }),
    ark('string.email').and(/^x/).and('string < 4'),
    ark('number < 3'),
    ark('string.json.parse').to({ a: 'number' }),
    ark('string.numeric.parse'),
    ark('string.date.iso.parse'),
  ],
}

/** Words that no schema has: `q` and digits, some with what texts are cut at and escaped by. */
const word = fc
  .tuple(
    fc.stringMatching(/^[0-9]{6}$/),
    fc.constantFrom('', ' (was 5)', ' received ', '"\n', ': ', ' '.repeat(99)),
  )
  .map(([digits, more]) => `q${digits}${more}q${digits}`)
const scalar = fc.oneof(word, fc.integer({ min: 100_000_001, max: 999_999_999 }))
const { value: payload } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(word, fc.constantFrom('a', 'b', 'k', 'c')), tie('value'), { maxKeys: 4 }),
  ),
}))

/** The digits of a value's words, names of fields too, and its numbers. */
function secretsOf(value: unknown): readonly string[] {
  return JSON.stringify(value).match(/\d{6,}/g) ?? []
}

async function issuesOf(schema: unknown, value: unknown): Promise<readonly Issue[]> {
  return (await validate(schema as Schema, value)).issues ?? []
}

describe('the text of an issue', () => {
  for (const [library, schemas] of Object.entries(SCHEMAS)) {
    it(`has no value and no name of a field that the sender chose, in words of ${library}`, async () => {
      let count = 0
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...schemas), payload, async (schema, value) => {
          for (const { message } of await issuesOf(schema, value)) {
            count += 1
            expect(message).to.match(/\w{4}/)
            for (const secret of secretsOf(value)) expect(message).not.to.contain(secret)
          }
        }),
        { numRuns: 400 },
      )
      expect(count).to.be.above(200)
    })

    it(`takes time in proportion to the value, in words of ${library}`, async () => {
      const long = `${' '.repeat(300_000)}(`
      const before = process.cpuUsage()
      for (const schema of schemas) {
        for (const value of [long, { [long]: long }, { a: long, k: long }, [long]]) {
          for (const { message } of await issuesOf(schema, value)) expect(message.length).to.be.at.most(200)
        }
      }
      // A search that tries each beginning again would take minutes.
      expect(process.cpuUsage(before).user / 1e6).to.be.below(10)
    })
  }

  it('says what several alternatives of ArkType want', async () => {
    const texts = async (schema: unknown, value: unknown) =>
      (await issuesOf(schema, value)).map(({ message }) => message)
    expect(await texts(ark('string < 2').or('string > 20'), 'secret')).to.deep.equal([
      'must be at most length 1 or at least length 21',
    ])
    expect(await texts(ark('string.email').and('string < 4'), 'secret')).to.deep.equal([
      'must be an email address and at most length 3',
    ])
  })

  it('counts the fields that Zod does not know, and keeps an application’s own text', async () => {
    const [own] = await issuesOf(z.strictObject({}, 'None of that'), { secret: 1 })
    expect(own?.message).to.equal('None of that')
    const [issue] = await issuesOf(z.strictObject({}), { secret: 1, other: 2 })
    expect(issue?.message).to.equal('Unrecognized keys: 2')
  })

  it('has no value of an application’s text where that is the part itself, at any depth', async () => {
    const bad = (input: unknown) => `bad ${input}`
    let schema: z.ZodType = z.any().refine(() => false, { error: ({ input }) => bad(input) })
    let values: unknown[] = ['secret', 918_273, 's'.repeat(1000)]
    for (let depth = 0; depth < 40; depth += 1) {
      schema = z.object({ a: schema })
      values = values.map((a) => ({ a }))
    }
    for (const value of values) {
      const [issue] = await issuesOf(schema, value)
      expect(issue?.message).to.equal('Invalid value')
      expect(issue?.path).to.have.length(32)
    }
  })
})

describe('the regular expressions of what runs for each message', () => {
  it('repeat nothing without a bound, unless they begin at the start', () => {
    const files = SOURCES.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.ts'))
        .map((name) => new URL(name, folder)),
    )
    // These read options and patterns of the application.
    const own = ['option-checks.ts', 'socket-options.ts']
    const found: string[] = []
    for (const file of files) {
      if (own.some((name) => file.pathname.endsWith(name))) continue
      for (const [literal] of readFileSync(file, 'utf8').matchAll(
        /(?<=[(=!&|] ?)\/(?![/*])(?:\\.|[^/\n])+\/[gimsuy]*(?=[.,)])/g,
      ))
        if (!literal.startsWith('/^') && /[*+]|\{\d*,\}/.test(literal.replace(/\\.|\[[^\]]*\]/g, '')))
          found.push(literal)
    }
    expect(found.sort()).to.deep.equal(OF_PATTERNS)
  })
})

/** They read patterns of the contract. */
const OF_PATTERNS = ['/\\{([A-Za-z]\\w*)\\}/', '/\\{\\w+\\}/g']
