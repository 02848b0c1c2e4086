/**
 * Loaded before all tests: fake clocks clear native timers, too. A timer that an earlier test has left may fire, or be
 * cleared, while another test has a fake clock; sinon would warn of it on that test's console.
 */
import sinon from 'sinon'

type Config = Parameters<typeof sinon.useFakeTimers>[0]

const { useFakeTimers } = sinon

sinon.useFakeTimers = (config?: Config) => {
  const settings = typeof config === 'object' && !(config instanceof Date) ? config : {}
  const now = typeof config === 'number' || config instanceof Date ? { now: config } : {}
  return useFakeTimers.call(sinon, { shouldClearNativeTimers: true, ...now, ...settings })
}
