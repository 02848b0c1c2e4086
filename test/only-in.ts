/** Marks tests that are for some runtimes, transports or numbers of nodes only. Gates leave them out by the mark in their titles. */
import { BY_WEBSOCKET_ONLY, IN_NODE_ONLY, ON_ONE_NODE_ONLY } from '../scripts/gates.mjs'

/** Whether these tests run in Bun. */
export const isBun = 'Bun' in globalThis

/**
 * Makes a test that is for Node only: `inNodeOnly('V8 counts …').it('keeps nothing', …)`.
 * `npm run matrix -- --tests bun` leaves it out.
 * @param reason what Node has that the test asks for
 */
export function inNodeOnly(reason: string): Definers {
  return marked(`${IN_NODE_ONLY}${reason})`)
}

/**
 * Makes a test that the gates of the HTTP transports leave out.
 * @param reason what only WebSockets have
 */
export function byWebSocketOnly(reason: string): Definers {
  return marked(`${BY_WEBSOCKET_ONLY}${reason})`)
}

/**
 * Makes a test that the gates of two nodes leave out.
 * @param reason what two nodes behind a proxy do otherwise
 */
export function onOneNodeOnly(reason: string): Definers {
  return marked(`${ON_ONE_NODE_ONLY}${reason})`)
}

function marked(mark: string): Definers {
  return {
    mark,
    it: (title, run) => void it(`${title} ${mark}`, run),
    describe: (title, define) => void describe(`${title} ${mark}`, define),
    and: (other) => marked(`${mark} ${other.mark}`),
  }
}

interface Definers {
  /** What its titles end in. */
  readonly mark: string
  it(title: string, run: Mocha.AsyncFunc | Mocha.Func): void
  describe(title: string, define: (this: Mocha.Suite) => void): void
  /** Both marks. */
  and(other: Definers): Definers
}
