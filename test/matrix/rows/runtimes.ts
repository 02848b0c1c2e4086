import type { Application } from '../application.js'
import { exchange } from '../exchange.js'
import type { Outcome, Row } from '../row.js'

const SERVER = 'frameworks/express.mjs'

/** A runtime serves itself, then each side talks to the other's Node. */
async function bothSides(
  application: Application,
  version: string,
  runner: readonly string[],
): Promise<Outcome> {
  const own = [process.execPath]
  await exchange(application, { server: SERVER, version, runner, clientRunner: own })
  await exchange(application, { server: SERVER, version, runner: own, clientRunner: runner })
  return exchange(application, { server: SERVER, version, runner, clientRunner: runner })
}

const node = (major: string): Row => ({
  group: 'Runtimes',
  name: `Node ${major}`,
  packages: [{ name: 'node', version: `^${major}.0.0` }],
  expected: 'works',
  run: (application) => bothSides(application, 'node', ['node']),
})

export const rows: readonly Row[] = [
  ...['20', '22', '24', '26'].map(node),
  {
    group: 'Runtimes',
    name: 'Bun',
    packages: [{ name: 'bun', version: '^1.3.0' }],
    expected: 'works',
    note: 'It brings a `ws` of its own: `limits.fragments` does not apply, a broken frame closes without a code, and `server.setTimeout` cuts WebSockets.',
    run: (application) => bothSides(application, 'bun', [application.path('node_modules/bun/bin/bun.exe')]),
  },
  {
    group: 'Runtimes',
    name: 'Deno',
    packages: [{ name: 'deno', version: '^2.0.0' }],
    expected: 'works',
    note: 'It runs with `deno run --allow-all`, in a folder with a package.json and a node_modules.',
    run: (application) => bothSides(application, 'deno', [denoOf(application), 'run', '--allow-all']),
  },
  {
    group: 'Runtimes',
    name: 'Node with --disable-proto=delete',
    packages: [],
    suite: true,
    expected: 'works',
    run: async (application) => {
      const runner = ['node', '--disable-proto=delete']
      const done = await exchange(application, {
        server: SERVER,
        version: 'express',
        runner,
        clientRunner: runner,
      })
      return { ...done, version: process.versions.node }
    },
  },
  {
    group: 'Runtimes',
    name: 'Electron',
    packages: [{ name: 'electron', version: '^45.0.0' }],
    expected: 'works',
    unavailable: 'npm’s registry has only its installer; the program itself comes from elsewhere',
    note: 'A renderer is a page, and the main process is Node; a page that is not http(s) has to name the `host`.',
    run: () => Promise.reject(new Error('it never runs')),
  },
]

/** The program itself: what npm links is a script that starts it, and does not pass signals on. */
function denoOf(application: Application): string {
  const { platform, arch } = process
  const libc = platform === 'linux' ? '-glibc' : ''
  return application.path('node_modules/@deno', `${platform}-${arch}${libc}`, 'deno')
}
