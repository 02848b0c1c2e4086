import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

const root = join(import.meta.dirname, '../..')

/** Runs the attacks as `npm run abuse` does, once everything is built. */
const abuse = (...options: string[]) =>
  promisify(execFile)(process.execPath, [join(root, 'scripts/abuse/abuse.mjs'), ...options], { cwd: root })

describe('npm run abuse', () => {
  it('explains the options that docs/SECURITY.md names', async () => {
    const { stdout } = await abuse('--help')
    const named =
      readFileSync(join(root, 'docs/SECURITY.md'), 'utf8').match(/npm run abuse -- (--\w+)/g) ?? []
    expect(named).to.have.length(2)
    for (const one of named) expect(stdout).to.contain(one.slice('npm run abuse -- '.length))
  })

  it('runs the attacks whose names contain a text, and says what each cost', async () => {
    const { stdout } = await abuse('--only', 'a polling session')
    expect(stdout).to.match(/held {3}a polling session +\d+\.\d KiB kept for each of 500, limit 32\.0 KiB/)
    expect(stdout).to.contain('1 of 1 attacks held')
  })

  it('refuses an option that is wrong', async () => {
    const error = await abuse('--inputs', 'many').catch((cause) => cause)
    expect(error.stderr).to.contain('--inputs takes a whole number')
  })
})
