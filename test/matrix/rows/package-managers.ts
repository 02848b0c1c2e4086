import { readFile } from 'node:fs/promises'
import type { Application } from '../application.js'
import { exchange } from '../exchange.js'
import type { Outcome, Package, Row } from '../row.js'

/** How a package manager installs what package.json names. */
interface Manager {
  readonly name: string
  /** The package that brings it. */
  readonly tool: Package
  /** Its executable, in the package. */
  readonly bin: string
  /** It is machine code, not a script. */
  readonly isProgram?: boolean
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Arguments of Node that programs need to find packages. */
  readonly node?: readonly string[]
  readonly note?: string
}

const PNP = ['--require', './.pnp.cjs', '--experimental-loader', './.pnp.loader.mjs']

const MANAGERS: readonly Manager[] = [
  { name: 'pnpm', tool: { name: 'pnpm', version: '^10.0.0' }, bin: 'bin/pnpm.cjs' },
  {
    name: 'Yarn 1',
    tool: { name: 'yarn', version: '^1.22.0' },
    bin: 'bin/yarn.js',
    args: ['--ignore-engines'],
  },
  {
    name: 'Yarn 4, Plug’n’Play',
    tool: { name: '@yarnpkg/cli-dist', version: '^4.0.0' },
    bin: 'bin/yarn.js',
    env: { YARN_ENABLE_IMMUTABLE_INSTALLS: 'false', YARN_ENABLE_TELEMETRY: '0' },
    node: PNP,
  },
  {
    name: 'Yarn 4, node_modules',
    tool: { name: '@yarnpkg/cli-dist', version: '^4.0.0' },
    bin: 'bin/yarn.js',
    env: {
      YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
      YARN_ENABLE_TELEMETRY: '0',
      YARN_NODE_LINKER: 'node-modules',
    },
  },
  { name: 'Bun', tool: { name: 'bun', version: '^1.3.0' }, bin: 'bin/bun.exe', isProgram: true },
]

/** Has a package manager install the tarballs, and runs both sides with what it made. */
async function installedBy(application: Application, manager: Manager): Promise<Outcome> {
  const { tool, bin, isProgram = false, args = [], env = {}, node = [] } = manager
  await application.install('.tool', { [tool.name]: tool.version })
  // Without one Yarn looks for its project in the folders above.
  if (bin.includes('yarn')) await application.write('yarn.lock', '')
  await pinSiblings(application)
  const path = application.path('.tool/node_modules', tool.name, bin)
  const command = isProgram ? [path] : ['node', path]
  const [program = '', ...first] = command
  const ended = await application.run(program, [...first, 'install', ...args], { env, timeout: 300_000 })
  if (ended.code !== 0) throw new Error(`it installed nothing: ${ended.stdout}${ended.stderr}`)
  const runner = ['node', ...node]
  await exchange(application, {
    server: 'frameworks/express.mjs',
    version: 'express',
    runner,
    clientRunner: runner,
  })
  return { version: await application.version(tool.name, '.tool') }
}

/** The tarballs stand for what they need of each other, too, as these versions are in no registry: each manager has a field for it. */
async function pinSiblings(application: Application): Promise<void> {
  const manifest = JSON.parse(await readFile(application.path('package.json'), 'utf8'))
  const ours = Object.entries(manifest.dependencies).filter(([name]) => name.startsWith('@token-socket/'))
  const pins = Object.fromEntries(ours)
  const fields = { overrides: pins, resolutions: pins, pnpm: { overrides: pins } }
  await application.write('package.json', JSON.stringify({ ...manifest, ...fields }, null, 2))
}

export const rows: readonly Row[] = [
  {
    group: 'Package managers',
    name: 'npm',
    packages: [],
    expected: 'works',
    run: async (application) => {
      await exchange(application, { server: 'frameworks/express.mjs', version: 'express' })
      const { stdout } = await application.run('npm', ['--version'])
      return { version: stdout.trim() }
    },
  },
  ...MANAGERS.map(
    (manager): Row => ({
      group: 'Package managers',
      name: manager.name,
      packages: [],
      isBare: true,
      expected: 'works',
      ...(manager.note !== undefined && { note: manager.note }),
      run: (application) => installedBy(application, manager),
    }),
  ),
]
