import type { Application } from '../application.js'
import { expectEnd, serverFor } from '../client-server.js'
import type { Outcome, Package, Row } from '../row.js'

/** The page of an environment that sends its origin, as the server has to know it. */
const ORIGINS: Readonly<Record<string, string>> = {
  'jest jsdom': 'http://localhost',
  'vitest happy-dom': 'http://localhost:3000',
}

/** What happy-dom and jsdom ask for. */
const DOMS: Readonly<Record<string, readonly Package[]>> = {
  jsdom: [{ name: 'jsdom', version: '^26.1.0' }],
  'happy-dom': [{ name: 'happy-dom', version: '^20.0.0' }],
}

export const rows: readonly Row[] = [
  ...['29', '30'].flatMap((version) => ['node', 'jsdom'].map((environment) => jest(version, environment))),
  ...['3', '4', '5'].flatMap((version) =>
    ['node', 'jsdom', 'happy-dom'].map((environment) => vitest(version, environment)),
  ),
]

function jest(version: string, environment: string): Row {
  const range = `^${version}.0.0`
  const dom = 'jest-environment-jsdom'
  return {
    group: 'Test runners',
    name: `Jest ${version}, ${environment}`,
    packages: [
      { name: 'jest', version: range, alias: `jest${version}` },
      ...(environment === 'jsdom' ? [{ name: dom, version: range, alias: dom + version }] : []),
    ],
    ours: ['protocol', 'client'],
    suite: true,
    expected: 'works',
    ...noteOf('jest', environment),
    run: (application) => runTests(application, 'jest', environment),
  }
}

function vitest(version: string, environment: string): Row {
  const dom = DOMS[environment]
  return {
    group: 'Test runners',
    name: `Vitest ${version}, ${environment}`,
    packages: [{ name: 'vitest', version: `^${version}.0.0`, alias: `vitest${version}` }, ...(dom ?? [])],
    ours: ['protocol', 'client'],
    suite: true,
    expected: 'works',
    ...noteOf('vitest', environment),
    run: (application) => runTests(application, 'vitest', environment),
  }
}

function noteOf(name: string, environment: string): Pick<Row, 'note'> {
  const origin = ORIGINS[`${name} ${environment}`]
  return origin ? { note: `The server's \`origins\` names the page, \`${origin}\` by default.` } : {}
}

const ARGS = {
  jest: (environment: string) => ['--ci', '--no-cache', `--env=${environment}`],
  vitest: (environment: string) => ['run', `--environment=${environment}`],
}

/** What a runner says when all tests of its fixture have passed. */
const PASSED = { jest: /Tests: +2 passed/, vitest: /1 passed/ }

/** Runs a runner's tests against a real server. @throws unless all pass and the runner ends by itself */
async function runTests(
  application: Application,
  name: 'jest' | 'vitest',
  environment: string,
): Promise<Outcome> {
  await application.copy('client')
  await application.copy(name)
  const origin = ORIGINS[`${name} ${environment}`]
  const HOST = await serverFor(application, origin ? [origin] : [])
  const env = { HOST, CI: '1', NO_COLOR: '1' }
  const ended = await application.run(name, ARGS[name](environment), { env, timeout: 90_000 })
  expectEnd(ended, PASSED[name])
  if (/did not exit/.test(ended.stderr)) throw new Error(ended.stderr)
  return { version: await application.version(name) }
}
