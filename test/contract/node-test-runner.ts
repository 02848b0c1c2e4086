/** Runs the tests of engines with Node's own runner: `engine-tests.test.ts` starts it. */
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { engineContract } from '@token-socket/engine-tests'
import { ExampleEngine } from './example-engine.js'

Object.assign(globalThis, { describe, it, beforeEach, afterEach })

engineContract('example', (_count, limits) => [new ExampleEngine(limits)], {
  oneNode: 'it lives in the memory of one process',
  noRates: 'the nodes share nothing',
  clock: () => ({ pass: (ms) => delay(ms), restore: () => {} }),
})
