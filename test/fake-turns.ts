import sinon from 'sinon'
import { eventLoop } from '#server/runtime/event-loop.js'

/** Lets the server's turns wait for the clock of the test, which fakes `setImmediate`; `sinon.restore()` undoes it. */
export function fakeTurns(): void {
  sinon
    .stub(eventLoop, 'setImmediate')
    .callsFake(((...args: Parameters<typeof setImmediate>) => setImmediate(...args)) as typeof setImmediate)
}
