/** Marks tests that ask a runtime for something of its own. */

/** Whether these tests run in Bun. */
export const isBun = 'Bun' in globalThis

/**
 * Makes a test that runs in one runtime only: `onlyIn('node', 'V8 counts …').it('keeps nothing', …)`. In others the test is
 * pending, with the reason in its title; `npm run matrix -- --tests` counts it as left out.
 * @param runtime the runtime that has what the test asks for
 * @param reason what that is
 */
export function onlyIn(runtime: 'node', reason: string): Definers {
  if (!isBun) return { it: (title, run) => void it(title, run), describe }
  const named = (title: string) => `${title} (in ${runtime} only: ${reason})`
  return {
    it: (title) => void it.skip(named(title)),
    describe: (title, define) => void describe.skip(named(title), define),
  }
}

interface Definers {
  it(title: string, run: Mocha.AsyncFunc | Mocha.Func): void
  describe(title: string, define: (this: Mocha.Suite) => void): void
}
