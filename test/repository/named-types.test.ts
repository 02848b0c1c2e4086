import { expect } from 'chai'
import { missingTypes, readDeclarations, referredTypes } from './named-types.js'
import { parseSource } from './source-file.js'

/** Types that compute others: users never write their names. */
const HELPERS = new Set([
  ...['Answer', 'OneOf', 'SomeOf', 'SomeField', 'Others', 'Events', 'Listener', 'Failure'],
  ...['IsKnown', 'TypedArguments', 'AnyData', 'Answered', 'NamesOf', 'Levels', 'TypedNotification'],
  ...['ParameterNames', 'Part', 'DefinitionOf', 'Merged', 'CallWith', 'Gives', 'Sends', 'Presence'],
  ...['SendArguments', 'HandlerTree', 'EightLevels', 'PatternOf', 'EventsOf', 'PresenceOf'],
])

/** The entries of each package. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  protocol: ['index', 'testing'],
  server: ['index', 'engine'],
  client: ['index', 'hotsock'],
  redis: ['index'],
  lmdb: ['index'],
  'sign-out': ['index'],
  'engine-tests': ['index'],
  contract: [
    ...['index', 'client/index', 'server/index', 'mock/index', 'asyncapi/index', 'json-schema/index'],
  ],
}

describe('the types that declarations name', () => {
  const files = readDeclarations()
  for (const [name, paths] of Object.entries(ENTRIES)) {
    const entries = paths.map((path) => `${name}/${path}`)
    for (const entry of entries)
      it(`are exported: ${entry}`, () => {
        const missing = missingTypes(entry, files, entries)
        expect(missing.filter((text) => !HELPERS.has(text.split(' ').at(-1) ?? ''))).to.deep.equal([])
      })
  }

  it('are read of every entry', async () => {
    expect(files.length).to.be.above(400)
    const { default: snapshot } = await import('./exports.json', { with: { type: 'json' } })
    const entries = Object.entries(ENTRIES).flatMap(([name, paths]) =>
      paths.map((path) => `@token-socket/${name}/${path}`.replace(/\/index$/, '')),
    )
    expect(entries).to.have.members(Object.keys(snapshot))
  })

  const found = (sources: Record<string, string>) =>
    missingTypes(
      'a/index',
      Object.entries(sources).map(([name, text]) => parseSource(name, text)),
    )
  const options = "import type { Rule } from './rule.js'\nexport interface Options<T> { rule: Rule; own: T }"
  const rule = 'export type Rule = string'

  it('are found in an entry that lacks one', () => {
    const index = "export type { Options } from './rules.js'"
    expect(found({ 'a/index': index, 'a/rules': options, 'a/rule': rule })).to.deep.equal([
      'a/rules: Options names Rule',
    ])
    const both = `${index}\nexport type { Rule } from './rule.js'`
    expect(found({ 'a/index': both, 'a/rules': options, 'a/rule': rule })).to.deep.equal([])
  })

  it('are found in functions, classes and the classes that they extend', () => {
    const index = "export { run, Own } from './own.js'"
    const own = `import type { Rule } from './rule.js'
import { Base } from './base.js'
export declare function run(rule: Rule): void
export declare class Own extends Base { }`
    const base = "import type { Rule } from './rule.js'\nexport declare class Base { get(): Rule }"
    expect(found({ 'a/index': index, 'a/own': own, 'a/base': base, 'a/rule': rule })).to.deep.equal([
      'a/own: run names Rule',
      'a/base: Base names Rule',
    ])
  })

  it('are those that a declaration refers to, apart from its own parameters', () => {
    const { body } = parseSource('a', 'type A<T> = { [K in keyof B<T>]: C }').program
    const [statement] = Object.values(body as [])
    expect(referredTypes(statement as never)).to.have.members(['B', 'C'])
  })
})
