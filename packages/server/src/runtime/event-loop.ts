import timers from 'node:timers'

/**
 * What only yields a turn of the event loop, kept when the module loads: test tools replace the
 * globals with ones that wait for a clock (`jest.useFakeTimers()`, `vi.useFakeTimers()`), and a
 * server of the same process would stop. Time-outs and intervals stay the globals, so that tests
 * may advance them.
 */
export const eventLoop = {
  setImmediate: timers.setImmediate,
  queueMicrotask: globalThis.queueMicrotask,
}
