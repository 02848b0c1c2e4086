/** How tools find packages, and which build of the client each gets. */

export type Way = 'import' | 'require'

/** What webpack 5 adds for a page. */
export const WEBPACK: readonly string[] = ['webpack', 'module', 'browser', 'production']

/** Tools that read `exports`, the conditions that they add to `import` or `require`, and which build they get. */
export const CONDITIONS: readonly (readonly [
  tool: string,
  way: Way,
  conditions: readonly string[],
  build: string,
])[] = [
  ['Vite', 'import', ['module', 'browser', 'production'], 'browser'],
  ['Vite in development', 'import', ['module', 'browser', 'development'], 'browser-development'],
  ['webpack 5', 'import', WEBPACK, 'browser'],
  ['webpack 5', 'require', WEBPACK, 'browser'],
  [
    'webpack 5 in development',
    'import',
    ['webpack', 'module', 'browser', 'development'],
    'browser-development',
  ],
  [
    'webpack 5 in development',
    'require',
    ['webpack', 'module', 'browser', 'development'],
    'browser-development',
  ],
  ['an edge worker in development', 'import', ['worker', 'development'], 'browser-development'],
  ['a web worker of webpack 5', 'import', ['webpack', 'module', 'worker', 'browser'], 'browser'],
  ['Cloudflare Workers', 'import', ['workerd', 'worker', 'browser'], 'browser'],
  ['an edge worker', 'import', ['worker'], 'browser'],
  ['Jest with jsdom', 'require', ['browser'], 'browser-cjs'],
  ['Jest with jsdom and ESM', 'import', ['browser'], 'browser'],
  ['Metro, for React Native', 'import', ['react-native'], 'browser'],
  ['Metro, for React Native', 'require', ['react-native'], 'browser-cjs'],
  ['Metro, for the web', 'require', ['browser'], 'browser-cjs'],
]

/** Tools that read no `exports`, the fields that they read, and which build they get. */
export const FIELDS: readonly (readonly [
  tool: string,
  way: Way,
  fields: readonly string[],
  build: string,
])[] = [
  ['webpack 4', 'import', ['browser', 'module', 'main'], 'browser-legacy'],
  ['Parcel', 'import', ['browser', 'module', 'main'], 'browser-legacy'],
  ['Browserify', 'require', ['browser', 'main'], 'browser-cjs'],
  ['Metro before 0.82', 'require', ['react-native', 'browser', 'main'], 'browser-cjs'],
]

/** Tools for Node, the conditions that they add, and which build they get: with `ws`. */
export const NODE: readonly (readonly [
  tool: string,
  way: Way,
  conditions: readonly string[],
  build: string,
])[] = [
  ['Node', 'import', ['node'], 'esm'],
  ['Node', 'require', ['node'], 'cjs'],
  ['Node with ESM by require', 'require', ['node', 'module-sync'], 'cjs'],
  ['Deno', 'import', ['deno', 'node'], 'esm'],
  ['Bun', 'import', ['bun', 'node'], 'esm'],
  ['Bun', 'require', ['bun', 'node'], 'cjs'],
]

/** A program that gets a module in both ways, and says in the global `isOne` whether that gave one copy of it. */
export const bothWays = (name: string): string => `
import * as imported from '${name}'
const required = require('${name}')
globalThis.isOne = Object.keys(imported).every((key) => imported[key] === required[key])
`
