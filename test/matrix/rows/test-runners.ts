import type { Application } from '../application.js'
import { expectEnd, serverFor } from '../client-server.js'
import type { Outcome, Package, Row } from '../row.js'

const JEST_ORIGIN = 'http://localhost'
const VITEST_ORIGIN = 'http://localhost:3000'

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
    ...(environment === 'jsdom' && {
      note: `The server's \`origins\` names the page of jsdom, \`${JEST_ORIGIN}\` by default.`,
    }),
    run: (application) => runTests(application, 'jest', ['--ci', `--env=${environment}`, '--no-cache']),
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
    ...(dom && {
      note: 'Vitest loads the build for Node there, unless `server.deps.inline` names the client.',
    }),
    run: (application) => runTests(application, 'vitest', ['run', `--environment=${environment}`]),
  }
}

/** Runs a runner's tests against a real server. @throws unless all pass and the runner ends by itself */
async function runTests(
  application: Application,
  name: 'jest' | 'vitest',
  args: readonly string[],
): Promise<Outcome> {
  await application.copy('client')
  await application.copy(name)
  const HOST = await serverFor(application, [JEST_ORIGIN, VITEST_ORIGIN])
  const ended = await application.run(name, args, { env: { HOST, CI: '1', NO_COLOR: '1' }, timeout: 90_000 })
  expectEnd(ended, /1 passed/)
  if (/did not exit/.test(ended.stderr)) throw new Error(ended.stderr)
  return { version: await application.version(name) }
}
