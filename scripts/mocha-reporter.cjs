// Mocha's `spec` output, and in the file that MOCHA_COUNTS names the counts and what failed, for `run-gate.mjs`. CommonJS, because Mocha
// makes a reporter with `require`.

const { writeFileSync } = require('node:fs')
const { reporters, Runner } = require('mocha')

const { EVENT_RUN_END, EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Runner.constants

class CountingReporter extends reporters.Spec {
  #passed = 0
  #failed = 0
  #failures = []
  #leftOut = 0

  constructor(runner, options) {
    super(runner, options)
    runner.on(EVENT_TEST_PASS, () => this.#write({ passed: 1 }))
    runner.on(EVENT_TEST_FAIL, (test, error) => {
      this.#failures.push(`${test.fullTitle()}: ${error?.message ?? error}`)
      this.#write({ failed: 1 })
    })
    runner.on(EVENT_TEST_PENDING, () => this.#write({ leftOut: 1 }))
    runner.once(EVENT_RUN_END, () => this.#write({ ended: true }))
  }

  #write({ passed = 0, failed = 0, leftOut = 0, ended = false }) {
    this.#passed += passed
    this.#failed += failed
    this.#leftOut += leftOut
    const counts = { passed: this.#passed, failed: this.#failed, leftOut: this.#leftOut }
    const text = JSON.stringify({ ...counts, failures: this.#failures, ended })
    if (process.env.MOCHA_COUNTS) writeFileSync(process.env.MOCHA_COUNTS, text)
  }
}

module.exports = CountingReporter
