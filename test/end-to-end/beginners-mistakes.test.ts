/**
 * The reference's first programs with every usual mistake in turn: a message names what is wrong, and the remedy. What only a
 * browser shows is in test/browser/failures.test.ts.
 */
import { expect } from 'chai'
import { CALLING } from './mistakes/calling.js'
import { calling } from './mistakes/edits.js'
import { FirstPrograms, type Mistake } from './mistakes/first-programs.js'
import { SET_UP } from './mistakes/set-up.js'
import { SIGNING_IN } from './mistakes/signing-in.js'
import { TROUBLES } from './mistakes/troubleshooting.js'

const TABLES: Readonly<Record<string, readonly Mistake[]>> = {
  'when the server is set up': SET_UP,
  'when a client signs in': SIGNING_IN,
  'in calls and on channels': CALLING,
}

const ALL = Object.values(TABLES).flat()

/** Messages of the document that no row shows, and why. */
const UNSEEN: Readonly<Record<string, string>> = {
  'A listener waits for `message`': 'it comes after 10 s: test/client/development-advice.test.ts',
  'a one-way message of a client was refused':
    'the first programs have no contract: test/end-to-end/contract-handlers.test.ts',
  "a request for another client's session was refused":
    'the first programs have one address: test/end-to-end/several-addresses.test.ts',
  'connectAuthentication still has not answered':
    'it comes after 30 s: test/server/authentication/connect-authentication.test.ts',
}

/** Lines that the console does not show: test/end-to-end/log.test.ts and its neighbours. */
const OF_THE_LOG = 'Refusals'

describe('a beginner’s mistake', () => {
  /** What all rows have shown. */
  const shown: string[] = []
  const passed = new Set<Mistake>()
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
          shown.push(...programs.output)
          passed.add(row)
        })
    })

  describe('is none', () => {
    it('of those that the programs make as they stand in the reference', async () => {
      await programs.run({ mistake: 'none', says: [/^forbidden$/] })
      expect(programs.output.slice(1)).to.deep.equal(['Ann', "chat { text: 'Hello' }", 'forbidden'])
    })

    it('to await a socket, which is no promise, nor to call and publish before it is ready', async () => {
      const client = [calling("await socket\nsocket.publish('other', 'early')\nsocket.rpc('echo', 1)")]
      await programs.run({ mistake: 'none', client, says: [/^forbidden$/] })
      expect(programs.output.slice(1)).to.deep.equal(["chat { text: 'Hello' }", 'forbidden'])
    })

    it('that docs/TROUBLESHOOTING.md has, and no row', () => {
      expect(TROUBLES).to.have.length.above(20)
      // Where only some rows are run, nothing is said about the others.
      if (passed.size < ALL.length) return
      const missing = TROUBLES.filter(
        ({ section, parts }) =>
          section !== OF_THE_LOG &&
          UNSEEN[parts.join('')] === undefined &&
          !shown.some((line) => parts.every((part) => line.includes(part))),
      )
      expect(missing).to.deep.equal([])
    })
  })

  it('has at least 40 rows, each of its own', () => {
    expect(ALL).to.have.length.above(39)
    expect(new Set(ALL.map(({ mistake }) => mistake))).to.have.property('size', ALL.length)
  })
})
