/** The README's first programs with every usual mistake in turn: a message names what is wrong, and the remedy. */
import { expect } from 'chai'
import { CALLING } from './mistakes/calling.js'
import { FirstPrograms, type Mistake } from './mistakes/first-programs.js'
import { SET_UP } from './mistakes/set-up.js'
import { SIGNING_IN } from './mistakes/signing-in.js'

const TABLES: Readonly<Record<string, readonly Mistake[]>> = {
  'when the server is set up': SET_UP,
  'when a client signs in': SIGNING_IN,
  'in calls and on channels': CALLING,
}

describe('a beginner’s mistake', () => {
  let programs: FirstPrograms

  beforeEach(async () => {
    programs = await FirstPrograms.open()
  })

  afterEach(() => programs.close())

  for (const [when, mistakes] of Object.entries(TABLES))
    describe(when, () => {
      for (const row of mistakes)
        it(`is named: ${row.mistake}`, async () => {
          expect(await programs.run(row), programs.output.join('\n')).to.equal(true)
        })
    })

  it('is none of those that the programs make as they stand in the README', async () => {
    await programs.run({ mistake: 'none', says: [/^forbidden$/] })
    expect(programs.output.slice(1)).to.deep.equal(['Ann', "chat { text: 'Hello' }", 'forbidden'])
  })

  it('has at least 40 rows', () => {
    expect(Object.values(TABLES).flat()).to.have.length.above(39)
  })
})
