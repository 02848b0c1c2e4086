import timers from 'node:timers'

/**
 * Functions that only yield a turn of the event loop, kept when the module loads. Test tools
 * replace the globals with ones that wait for a fake clock (`jest.useFakeTimers()`,
 * `vi.useFakeTimers()`), and a server in the same process would stop. Time-outs and intervals stay
 * the globals, so that tests may advance them.
 */
export const eventLoop = {
  setImmediate: timers.setImmediate,
  queueMicrotask: globalThis.queueMicrotask,
}
