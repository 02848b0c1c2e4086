/** The example of `docs/ENGINES.md`, and the suite with another test runner. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { engineContract } from '@token-socket/engine-tests'
import { expect } from 'chai'
import sinon from 'sinon'
import { ExampleEngine } from './example-engine.js'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))

engineContract('example', (_count, limits) => [new ExampleEngine(limits)], {
  oneNode: 'it lives in the memory of one process',
  noRates: 'the nodes share nothing',
  clock: () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
    return { pass: (ms) => void clock.tick(ms), restore: () => clock.restore() }
  },
})

describe('docs/ENGINES.md', () => {
  it('shows the example as it is tested', () => {
    const example = readFileSync(path('./example-engine.ts'), 'utf8')
    expect(readFileSync(path('../../docs/ENGINES.md'), 'utf8')).to.include(`\`\`\`ts\n${example}\`\`\``)
  })
})

describe('the tests of engines', () => {
  it('run with Node’s own runner', () => {
    const {
      NODE_OPTIONS: _options,
      NODE_V8_COVERAGE: _coverage,
      NODE_TEST_CONTEXT: _context,
      ...env
    } = process.env
    const args = ['--conditions=@token-socket/source', '--import=tsx', '--test', '--test-reporter=tap']
    args.push('--test-name-pattern=#take|#claim', path('./node-test-runner.ts'))
    const { stdout } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
    expect(stdout).to.match(/^# fail 0$/m)
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).to.be.above(4)
  }).timeout(60_000)
})
