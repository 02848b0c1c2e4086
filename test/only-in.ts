/** Marks tests that ask a runtime for something of its own. */
import { IN_NODE_ONLY } from '../scripts/gates.mjs'

/** Whether these tests run in Bun. */
export const isBun = 'Bun' in globalThis

/**
 * Makes a test that is for Node only: `inNodeOnly('V8 counts …').it('keeps nothing', …)`. Its title
 * says so, and by the title `npm run matrix -- --tests bun` leaves it out.
 * @param reason what Node has that the test asks for
 */
export function inNodeOnly(reason: string): Definers {
  const named = (title: string) => `${title} ${IN_NODE_ONLY}${reason})`
  return {
    it: (title, run) => void it(named(title), run),
    describe: (title, define) => void describe(named(title), define),
  }
}

interface Definers {
  it(title: string, run: Mocha.AsyncFunc | Mocha.Func): void
  describe(title: string, define: (this: Mocha.Suite) => void): void
}
