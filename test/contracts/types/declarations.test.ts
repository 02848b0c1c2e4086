import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Project, root } from './compiler.js'

const folder = join(root, 'test/contracts/types')
const results = readFileSync(join(folder, 'results.types.ts'), 'utf8')

const NON_STRICT = `
import { defineContract, procedure } from '@token-socket/contract'
import { connect } from '@token-socket/contract/client'
import { implement } from '@token-socket/contract/server'
import { z } from 'zod'

const contract = defineContract({
  server: { add: procedure({ input: z.number(), output: z.number() }), tell: procedure({ input: z.number() }) },
  client: { note: procedure({ input: z.number() }), ask: procedure({ output: z.number() }) },
  both: { move: procedure({ input: z.number() }) },
})
const client = await connect(contract, { url: 'ws://x' })
client.onNote((value) => value.toFixed())
client.onMove((value) => value.toFixed())
client.handle({ ask: () => 1 })
const sum: number = await client.add(1)
sum.toFixed()
client.tell(1)
implement(contract, { add: (value) => value, tell: (value, { client }) => client.note(value), move() {} })
// @ts-expect-error: it is a message
client.handle({ note: () => 1 })
// @ts-expect-error: it answers
client.onAsk
// @ts-expect-error: it takes a number
client.add('x')
`

describe('the declarations of a project that uses a contract', () => {
  const project = new Project()

  after(() => project.delete())

  /** What is wrong with a text, not with the packages' own sources, which are strict. */
  function compile(text: string, options: object): string[] {
    const output = { declaration: true, noEmit: false, outDir: join(project.folder, 'out') }
    const errors = project.compile({ 'results.ts': text }, { ...output, ...options }).split('\n')
    return errors.filter((line) => line.includes('results.ts('))
  }

  it('name every type of what the functions give', () => {
    expect(compile(results, {})).to.deep.equal([])
  }).timeout(60_000)

  it('do so without `strict`', () => {
    const options = { strict: false, exactOptionalPropertyTypes: false }
    expect(compile(results, options)).to.deep.equal([])
  }).timeout(60_000)

  it('have the listeners of a client without `strictNullChecks`', () => {
    const options = { strict: false, exactOptionalPropertyTypes: false }
    expect(compile(NON_STRICT, options)).to.deep.equal([])
  }).timeout(60_000)
})
