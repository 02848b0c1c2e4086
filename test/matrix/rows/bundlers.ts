/** Pages that bundlers build, each as its documentation says. */
import { readFile } from 'node:fs/promises'
import type { Application } from '../application.js'
import { type Build, buildPage, buildProgram, refusedBuild, refusedPage } from '../built-page.js'
import type { Package, Row } from '../row.js'

/** What a row of a page adds. */
interface PageRow extends Pick<Row, 'name' | 'note'>, Pick<Build, 'sockjs' | 'build'> {
  readonly packages: readonly [Package, ...Package[]]
  readonly suite?: boolean
}

/** A page with the client, a client of a contract and a mock server, opened with a WebSocket and without. */
function pageRow({ sockjs, build, suite = true, ...row }: PageRow): Row {
  const page = { version: row.packages[0].name, build, ...(sockjs && { sockjs }) }
  return {
    ...{ ...row, suite, group: 'Bundlers', expected: 'works', programs: ['CHROMIUM'] },
    ours: ['protocol', 'client', 'contract'],
    run: (application) => buildPage(application, page),
  }
}

const webpack = (tool: string, settings: object) => (application: Application) =>
  application.run('node', ['webpack.cjs', tool, JSON.stringify(settings)])

const metro = (platform: string, settings: object) => (application: Application) =>
  application.run('node', ['metro.cjs', platform, JSON.stringify(settings)])

/** Browserify reads CommonJS only. */
async function browserify(application: Application) {
  await application.run('node', ['to-commonjs.mjs'])
  return application.run('browserify', ['page.cjs', '-o', 'site/page.js'])
}

/** Of each tool its newest version, and the oldest that works without more. */
const pages: readonly PageRow[] = [
  {
    name: 'Vite 8',
    packages: [{ name: 'vite', version: '^8.0.0' }],
    build: (application) => application.run('vite', ['build', '--outDir', 'site', '--logLevel', 'warn']),
  },
  {
    name: 'webpack 5',
    packages: [{ name: 'webpack', version: '^5.0.0' }],
    build: webpack('webpack', {}),
  },
  {
    name: 'esbuild',
    packages: [{ name: 'esbuild', version: '*' }],
    note: 'With `--splitting` SockJS is in a file of its own.',
    build: (application) =>
      application.run('esbuild', [
        ...['page.js', '--bundle', '--format=esm', '--splitting', '--minify'],
        ...['--outdir=site', '--log-level=warning'],
      ]),
  },
  {
    name: 'Rollup 4',
    packages: [
      { name: 'rollup', version: '^4.0.0' },
      { name: '@rollup/plugin-node-resolve', version: '*' },
      { name: '@rollup/plugin-commonjs', version: '*' },
    ],
    note: 'It needs `nodeResolve({ browser: true })` and the plugin `commonjs`.',
    build: (application) => application.run('rollup', ['--config', 'rollup.config.js']),
  },
  {
    name: 'Parcel 2',
    packages: [{ name: 'parcel', version: '^2.16.0' }],
    build: (application) =>
      application.run('parcel', ['build', 'index.html', '--dist-dir', 'site', '--no-cache']),
  },
  {
    name: 'webpack 4.47',
    packages: [{ name: 'webpack', version: '~4.47.0', alias: 'webpack4' }],
    build: webpack('webpack', {}),
  },
  {
    name: 'Browserify 17',
    packages: [{ name: 'browserify', version: '^17.0.0' }],
    note: 'SockJS is in the page’s own file.',
    sockjs: 'inside',
    build: browserify,
  },
  {
    name: 'Metro 0.83, as React Native sets it up',
    packages: [{ name: 'metro', version: '~0.83.0' }],
    note: 'SockJS is in the page’s own file.',
    sockjs: 'inside',
    build: metro('ios', { unstable_conditionNames: ['react-native'] }),
  },
  {
    name: 'Metro 0.83 without package exports',
    packages: [{ name: 'metro', version: '~0.83.0' }],
    note: 'SockJS is in the page’s own file.',
    sockjs: 'inside',
    suite: false,
    build: metro('android', { unstable_enablePackageExports: false }),
  },
  {
    name: 'webpack 4.46',
    packages: [{ name: 'webpack', version: '4.46.0' }],
    note: 'It needs `NODE_OPTIONS=--openssl-legacy-provider`; webpack 4.47 does not.',
    suite: false,
    build: (application) =>
      application.run('node', ['webpack.cjs', 'webpack', '{}'], {
        env: { NODE_OPTIONS: '--openssl-legacy-provider' },
      }),
  },
  {
    name: 'Rspack 2',
    packages: [{ name: '@rspack/core', version: '^2.0.0' }],
    suite: false,
    build: webpack('@rspack/core', {}),
  },
  {
    name: 'webpack 5, target electron-renderer',
    packages: [{ name: 'webpack', version: '^5.0.0' }],
    suite: false,
    build: webpack('webpack', { target: ['web', 'electron-renderer'] }),
  },
  {
    name: 'Vite 7',
    packages: [{ name: 'vite', version: '^7.0.0' }],
    suite: false,
    build: (application) => application.run('vite', ['build', '--outDir', 'site', '--logLevel', 'warn']),
  },
  {
    name: 'Parcel 2 with packageExports',
    packages: [{ name: 'parcel', version: '^2.16.0' }],
    suite: false,
    build: async (application) => {
      const manifest = JSON.parse(await readFile(application.path('package.json'), 'utf8'))
      const resolver = { '@parcel/resolver-default': { packageExports: true } }
      await application.write('package.json', JSON.stringify({ ...manifest, ...resolver }))
      return application.run('parcel', ['build', 'index.html', '--dist-dir', 'site', '--no-cache'])
    },
  },
  {
    name: 'Bun’s bundler',
    packages: [{ name: 'bun', version: '^1.0.0' }],
    suite: false,
    note: 'With `--splitting` SockJS is in a file of its own.',
    build: (application) =>
      application.run('bun', ['build', './page.js', '--outdir', 'site', '--target=browser', '--splitting']),
  },
]

/** Programs for Node: they get the build with `ws`. */
const programs: readonly Pick<PageRow, 'name' | 'note' | 'packages' | 'build'>[] = [
  {
    name: 'esbuild --platform=node',
    packages: [{ name: 'esbuild', version: '*' }],
    build: (application) =>
      application.run('esbuild', [
        ...['program.js', '--bundle', '--platform=node', '--format=cjs'],
        ...['--outfile=site/program.cjs', '--log-level=warning'],
      ]),
  },
  {
    name: 'webpack 5, target node',
    packages: [{ name: 'webpack', version: '^5.0.0' }],
    build: webpack('webpack', {
      target: 'node20',
      entry: './program.js',
      filename: 'program.cjs',
      externals: { bufferutil: 'commonjs bufferutil', 'utf-8-validate': 'commonjs utf-8-validate' },
    }),
  },
  {
    name: 'Vite 8, --ssr',
    packages: [{ name: 'vite', version: '^8.0.0' }],
    build: (application) =>
      application.run('vite', ['build', '--ssr', 'program.js', '--outDir', 'site', '--logLevel', 'warn']),
  },
]

/** What is not built, and what the tool says. */
const refused: readonly (Pick<PageRow, 'name' | 'note' | 'packages' | 'build'> & {
  readonly message: RegExp
  /** It is built, and the page does not run. */
  readonly inPage?: boolean
})[] = [
  {
    name: 'esbuild --platform=neutral',
    packages: [{ name: 'esbuild', version: '*' }],
    note: 'It needs `--platform=browser`, or `--conditions=browser` with `--main-fields=module,main`.',
    message: /Could not resolve "[^"]*"/,
    build: (application) =>
      application.run('esbuild', ['page.js', '--bundle', '--platform=neutral', '--outdir=site']),
  },
  {
    name: 'Rollup 4 without `browser: true`',
    packages: [
      { name: 'rollup', version: '^4.0.0' },
      { name: '@rollup/plugin-node-resolve', version: '*' },
      { name: '@rollup/plugin-commonjs', version: '*' },
    ],
    note: 'It needs `nodeResolve({ browser: true })`.',
    message: /Failed to resolve module specifier "[^"]*"/,
    inPage: true,
    build: (application) =>
      application.run('rollup', ['--config', 'rollup.config.js'], { env: { BROWSER: 'false' } }),
  },
  {
    name: 'Metro 0.83 without the condition `react-native`',
    packages: [{ name: 'metro', version: '~0.83.0' }],
    note: 'React Native and Expo set the condition by themselves.',
    message: /Unable to resolve module \S+/,
    build: metro('ios', {}),
  },
]

const ours = ['protocol', 'client', 'contract']

export const rows: readonly Row[] = [
  ...pages.map(pageRow),
  ...programs.map(
    ({ build, ...row }): Row => ({
      ...{ ...row, ours, group: 'Bundlers', expected: 'works' },
      run: (application) => buildProgram(application, { version: versionOf(row), build }),
    }),
  ),
  ...refused.map(
    ({ build, message, inPage = false, ...row }): Row => ({
      ...{ ...row, ours, group: 'Bundlers', expected: 'refused' },
      ...(inPage && { programs: ['CHROMIUM'] }),
      run: (application) => {
        const refused = inPage ? refusedPage : refusedBuild
        return refused(application, { version: versionOf(row), build, message })
      },
    }),
  ),
]

function versionOf({ packages }: Pick<PageRow, 'packages'>): string {
  return packages[0].name
}
