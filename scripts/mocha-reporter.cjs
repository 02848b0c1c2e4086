// Mocha's `spec` output, and in the file that MOCHA_COUNTS names the counts and what failed, for `run-gate.mjs`. CommonJS, because Mocha
// makes a reporter with `require`.

const { writeFileSync } = require('node:fs')
const { reporters, Runner } = require('mocha')

const { EVENT_RUN_END, EVENT_TEST_PASS, EVENT_TEST_FAIL } = Runner.constants

class CountingReporter extends reporters.Spec {
  #passed = 0
  #failed = 0
  #failures = []

  constructor(runner, options) {
    super(runner, options)
    runner.on(EVENT_TEST_PASS, () => this.#write({ passed: 1 }))
    runner.on(EVENT_TEST_FAIL, (test, error) => {
      this.#failures.push(`${test.fullTitle()}: ${error?.message ?? error}`)
      this.#write({ failed: 1 })
    })
    runner.once(EVENT_RUN_END, () => this.#write({ ended: true }))
  }

  #write({ passed = 0, failed = 0, ended = false }) {
    this.#passed += passed
    this.#failed += failed
    const counts = { passed: this.#passed, failed: this.#failed }
    const text = JSON.stringify({ ...counts, failures: this.#failures, ended })
    if (process.env.MOCHA_COUNTS) writeFileSync(process.env.MOCHA_COUNTS, text)
  }
}

module.exports = CountingReporter
