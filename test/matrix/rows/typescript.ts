/**
 * The declarations of all packages, as users of each TypeScript compile them, those of libraries
 * checked, too: programs for Node without the DOM's types, and for pages without Node's.
 */
import type { Application } from '../application.js'
import type { Outcome, Package, Row } from '../row.js'

const VERSIONS: readonly (readonly [name: string, version: string, alias: string])[] = [
  ['TypeScript 5.4', '~5.4.0', 'typescript54'],
  ['TypeScript 5.9', '~5.9.0', 'typescript59'],
  ['TypeScript 6', '^6.0.0', 'typescript6'],
  ['TypeScript 7', '^7.0.0', 'typescript'],
]

/** What the programs, and declarations of ours, import. */
const TYPES: readonly Package[] = [
  { name: '@types/node', version: '^20.19.0' },
  { name: '@types/express', version: '^5.0.6' },
]

const STRICTEST = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  noEmit: true,
  target: 'es2022',
}

const PAGE = ['client.mts', 'hotsock.mts', 'contract.mts', 'contract-client.mts']
const MODULES = [...PAGE, 'contract-server.mts', 'engines.mts', 'server.mts', 'sign-out.mts']

/** For Node without the DOM's types, and for pages without Node's. */
const IN_NODE = { lib: ['es2022'], types: ['node'] }
const IN_PAGE = { lib: ['es2022', 'dom'], types: [] }

/** Milliseconds that a run of the compiler may take, on a machine with much else to do. */
const TIMEOUT = 170_000

/** A run of the compiler. */
interface Compilation {
  readonly files: readonly string[]
  readonly options: object
}

const NODE_10 = { moduleResolution: 'node10', esModuleInterop: true, ignoreDeprecations: '6.0' }

/** What is compiled, by the setting `moduleResolution`. */
const RESOLUTIONS: Readonly<Record<string, readonly Compilation[]>> = {
  nodenext: [{ files: [...MODULES, 'required.cts'], options: { ...IN_NODE, module: 'nodenext' } }],
  bundler: [{ files: PAGE, options: { ...IN_PAGE, module: 'esnext', moduleResolution: 'bundler' } }],
  node16: [{ files: [...MODULES, 'required.cts'], options: { ...IN_NODE, module: 'node16' } }],
  node10: [
    { files: MODULES, options: { ...IN_NODE, ...NODE_10, module: 'esnext' } },
    { files: ['required.cts'], options: { ...IN_NODE, ...NODE_10, module: 'commonjs' } },
  ],
}

const GONE = 'This TypeScript has no such setting; `nodenext` and `bundler` work.'
const INTEROP = '`@token-socket/redis` needs `esModuleInterop`, as the package `redis` does.'

/** The cheap half: what new projects have, in Node with each version, in pages with the oldest and the newest. */
function isInSuite(resolution: string, name: string): boolean {
  return resolution === 'nodenext' || (resolution === 'bundler' && /5\.4| 7/.test(name))
}

export const rows: readonly Row[] = VERSIONS.flatMap(([name, version, alias]) =>
  Object.entries(RESOLUTIONS).map(([resolution, compilations]): Row => {
    const isGone = resolution === 'node10' && name === 'TypeScript 7'
    return {
      group: 'TypeScript',
      name: `${name}, ${resolution}`,
      packages: [{ name: 'typescript', version, alias }, ...TYPES],
      ours: ['protocol', 'client', 'server', 'contract', 'lmdb', 'redis', 'sign-out'],
      suite: isInSuite(resolution, name),
      expected: isGone ? 'refused' : 'works',
      ...(resolution === 'node10' && { note: isGone ? GONE : INTEROP }),
      run: (application) => compile(application, compilations),
    }
  }),
)

async function compile(application: Application, compilations: readonly Compilation[]): Promise<Outcome> {
  const version = await application.version('typescript')
  await application.copy('typescript')
  for (const { files, options } of compilations) {
    // Versions before 6 know nothing to ignore.
    const { ignoreDeprecations, ...known } = options as { readonly ignoreDeprecations?: string }
    const compilerOptions = { ...STRICTEST, ...(version.startsWith('5.') ? known : options) }
    await application.write('tsconfig.json', JSON.stringify({ compilerOptions, files }))
    const { stdout, code } = await application.run('tsc', ['--project', '.', '--pretty', 'false'], {
      timeout: TIMEOUT,
    })
    if (code === 0) continue
    const [message = ''] = /Option 'moduleResolution=[^\n]*removed[^\n.]*/.exec(stdout) ?? []
    if (message !== '') return { version, message }
    throw new Error(stdout.split('\n').slice(0, 12).join('\n'))
  }
  return { version }
}
