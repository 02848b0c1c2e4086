import { expect } from 'chai'
import { missingTypes, referredTypes } from './named-types.js'
import { parseSource, readSources } from './source-file.js'

/** Types that compute others: users never write their names. */
const HELPERS = new Set([
  ...['Answer', 'OneOf', 'SomeOf', 'SomeField', 'Others'],
  ...['IsKnown', 'TypedArguments', 'AnyData', 'Answered', 'NamesOf', 'Levels', 'TypedNotification'],
])

describe('the types that options and events name', () => {
  const files = readSources()
  for (const entry of ['server/index', 'client/index', 'redis/index', 'lmdb/index', 'sign-out/index'])
    it(`are exported by ${entry}`, () => {
      const missing = missingTypes(entry, files)
      expect(missing.filter((text) => !HELPERS.has(text.split(' ').at(-1) ?? ''))).to.deep.equal([])
    })

  it('are found in an entry that lacks one', () => {
    const parse = (sources: Record<string, string>) =>
      Object.entries(sources).map(([name, text]) => parseSource(name, text))
    const found = (index: string) =>
      missingTypes(
        'a/index',
        parse({
          'a/index': index,
          'a/rules':
            "import type { Rule } from './rule.js'\nexport interface Options<T> { rule: Rule; own: T }",
          'a/rule': 'export type Rule = string',
        }),
      )
    expect(found("export type { Options } from './rules.js'")).to.deep.equal(['a/rules: Options names Rule'])
    const both = "export type { Options } from './rules.js'\nexport type { Rule } from './rule.js'"
    expect(found(both)).to.deep.equal([])
    const [statement] = Object.values(
      parseSource('a', 'type A<T> = { [K in keyof B<T>]: C }').program.body as [],
    )
    expect(referredTypes(statement as never)).to.have.members(['B', 'C'])
  })
})
