/** The tests of types fail where a type is wrong: each is broken on purpose, for the language server only. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { root } from './compiler.js'
import { LanguageServer } from './language-server.js'

interface Mutant {
  readonly what: string
  readonly file: string
  readonly from: string
  readonly to: string
}

const MUTANTS: readonly Mutant[] = [
  {
    what: 'handlers get what travels, without the transforms',
    file: 'contract/src/procedure.ts',
    from: 'readonly input: Gives<infer Input>',
    to: 'readonly input: Sends<infer Input>',
  },
  {
    what: 'handlers return what arrives, after the transforms',
    file: 'contract/src/procedure.ts',
    from: 'readonly output: Sends<infer Output>',
    to: 'readonly output: Gives<infer Output>',
  },
  {
    what: 'every input may be left out',
    file: 'contract/src/operation-types.ts',
    from: 'undefined extends Input',
    to: 'undefined extends undefined',
  },
  {
    what: 'one-way messages take options',
    file: 'contract/src/operation-types.ts',
    from: 'extends true ? [] :',
    to: 'extends never ? [] :',
  },
  {
    what: 'operations that answer have listeners, too',
    file: 'contract/src/client/contract-client.ts',
    from: 'as T[K] extends ProcedureMark\n    ? IsOneWay<T[K]> extends true\n      ? `on',
    to: 'as T[K] extends ProcedureMark\n    ? IsOneWay<T[K]> extends boolean\n      ? `on',
  },
  {
    what: 'handlers may be left out',
    file: 'contract/src/server/handlers.ts',
    from: '[K in keyof T]: T[K] extends',
    to: '[K in keyof T]?: T[K] extends',
  },
  {
    what: 'the server cannot call operations of both ends',
    file: 'contract/src/contract.ts',
    from: '? Part<D, End> & Both',
    to: '? Part<D, End>',
  },
  {
    what: 'errors do not narrow by their code',
    file: 'contract/src/operation-types.ts',
    from: 'readonly code: Code;',
    to: 'readonly code: string;',
  },
  {
    what: 'channels take any parameters',
    file: 'contract/src/channel-definitions.ts',
    from: '[Name in ParameterNames<Pattern>]: string',
    to: '[Name in ParameterNames<Pattern>]?: string',
  },
  {
    what: 'a function’s first parameter is taken for its data',
    file: 'client/src/calls/remote-functions.ts',
    from: 'auth: never,',
    to: '',
  },
  {
    what: 'names of a controller’s functions end at depth 1',
    file: 'client/src/calls/remote-functions.ts',
    from: 'Member extends object',
    to: 'Member extends never',
  },
]

const here = new URL('.', import.meta.url).pathname
const TESTS = readdirSync(here).filter((name) => name.endsWith('.types.ts'))

describe('the tests of types', function () {
  this.timeout(120_000)
  let server: LanguageServer

  before(async () => {
    server = new LanguageServer()
    await server.initialize()
    for (const name of TESTS) server.open(join(here, name), readFileSync(join(here, name), 'utf8'))
  })

  after(() => server.close())

  async function errors(): Promise<readonly string[]> {
    const found = []
    for (const name of TESTS) found.push(...(await server.errors(join(here, name))))
    return found
  }

  it('pass for the types as they are', async () => {
    expect(await errors()).to.deep.equal([])
  })

  for (const { what, file, from, to } of MUTANTS)
    it(`fail if ${what}`, async () => {
      const path = join(root, 'packages', file)
      const source = readFileSync(path, 'utf8')
      expect(source.split(from)).to.have.length(2)
      server.open(
        path,
        source.replace(from, () => to),
      )
      const found = await errors()
      server.closeFile(path)
      expect(found).not.to.deep.equal([])
    })

  it('pass again afterwards', async () => {
    expect(await errors()).to.deep.equal([])
  })
})
