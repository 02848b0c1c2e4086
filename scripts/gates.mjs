// The gates: every check that a change passes before it is merged. `scripts/test.mjs` and the Gruntfile both read this
// table, so a gate is defined once. What a gate does when it runs is in `run-gate.mjs`.

import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** How long a gate may take, in seconds, before it is killed and counted as failed. */
export const GATE_LIMIT = 900

/** What the titles of tests that are for Node only say. Another runtime's gates leave them out. */
export const IN_NODE_ONLY = '(in Node only: '

/** What the titles of tests say that are about WebSockets. The gates of the HTTP transports leave them out. */
export const BY_WEBSOCKET_ONLY = '(by WebSocket only: '

/** What the titles of tests say that are about one server object, or of what two nodes do in no order. */
export const ON_ONE_NODE_ONLY = '(on one node only: '

/**
 * @typedef {object} Gate
 * @property {string} name
 * @property {string} does what it checks, in one line
 * @property {string[]} [command] a program run by Node: it passes or fails as one
 * @property {string[]} [tests] folders of Mocha tests: each test counts
 * @property {number} [jobs] how many of its files run at once: more than the processors for tests that wait more than they work
 * @property {number} [processes] among how many processes its files are dealt out, each of which runs them one after the other: for
 *   tests with fake clocks, which have to know what ran before them. @default 1
 * @property {Record<string, string>} [env] added to its environment
 * @property {readonly string[]} [longFiles] the names of its files that take longest, which jobs start first
 * @property {readonly string[]} [files] the names of its files in these folders. @default all
 * @property {readonly string[]} [otherFiles] the names of files in these folders that are another gate's
 * @property {readonly string[]} [leftOut] titles of tests that are not among them; where they stand is why
 * @property {string} [packages] a folder with a lock file of its own, whose packages its tests take
 * @property {number} [limit] seconds that it may take. @default {@link GATE_LIMIT}
 * @property {boolean} [coverage] what its processes ran counts as covered
 */

/**
 * The end-to-end tests of what users see, by whichever transport, on however many nodes. Left out are files about one node's own:
 * raw connections to it, its limits, memory, liveness, paths and process, the proxy's business of origins, and engines that a test
 * makes itself.
 */
const USER_FILES = [
  'bad-handlers',
  'bad-tokens',
  'channel-api',
  'claims-tokens',
  'client-methods',
  'client-options',
  'history',
  'hotsock',
  'presence',
  'recovery',
  'routes',
  'server-events',
  'server-methods',
  'server-options',
  'socket',
  'token-options',
]

/**
 * The end-to-end tests that load one node until it has to defend itself, or hold it to a share of time. Another test at the same
 * time would take what they measure, so they run one after the other.
 */
const LOAD_FILES = [
  'bulk',
  'floods',
  'hostile-load',
  'large-answers',
  'large-publications',
  'message-sizes',
  'notifications',
  'rates',
  'recovery-at-random',
  'slow-readers',
  'turn-budget',
]

/** The unit tests that take longest, the longest first. */
const LONG_UNIT_FILES = [
  'lmdb-engine',
  'authorization-model',
  'small-script',
  'subscription-model',
  'idle-sockets',
  'renewal',
  'thousand-servers',
  'token-authenticator',
]

/** What carries the messages of clients that can't use WebSocket. */
const HTTP_TRANSPORTS = ['xhr-streaming', 'xhr-polling']

/** @type {readonly Gate[]} in the order in which they run */
export const gates = [
  {
    name: 'lint',
    does: 'format and lint rules (Biome)',
    command: ['node_modules/@biomejs/biome/bin/biome', 'check', '.'],
  },
  {
    name: 'types',
    does: 'the types of every package, the tests and the examples (tsc)',
    command: ['scripts/types.mjs'],
  },
  {
    name: 'build',
    does: 'every package as ESM and CommonJS with declarations, and the script-tag client',
    command: ['scripts/build.mjs'],
  },
  {
    name: 'unit',
    does: 'the tests of each source file, and the contracts of its seams',
    tests: ['test/protocol', 'test/server', 'test/client', 'test/contract'],
    processes: 2,
    longFiles: LONG_UNIT_FILES,
    coverage: true,
  },
  {
    name: 'contracts',
    does: 'the typed contract: its types, checks, mocks, documents and command',
    tests: ['test/contracts'],
    jobs: 2,
    coverage: true,
  },
  {
    name: 'end-to-end',
    does: 'real servers and real clients, the SockJS protocol, and sources of sign-outs',
    tests: ['test/end-to-end', 'test/conformance', 'test/sign-out'],
    otherFiles: LOAD_FILES,
    jobs: 2,
    coverage: true,
  },
  {
    name: 'load',
    does: 'the end-to-end tests of one node under load, one after the other',
    tests: ['test/end-to-end'],
    files: LOAD_FILES,
    coverage: true,
  },
  {
    name: 'engines',
    does: 'the engines that outlive a process: killed, and started again',
    tests: ['test/lmdb', 'test/redis'],
    // Other clients of Redis are refused by name: they are there.
    packages: 'test/matrix',
    jobs: 4,
    coverage: true,
  },
  ...HTTP_TRANSPORTS.map((transport) => ({
    name: `one-node-${transport}`,
    does: `the end-to-end tests of what users see on one node, by ${transport}`,
    tests: ['test/end-to-end'],
    files: USER_FILES,
    leftOut: [BY_WEBSOCKET_ONLY],
    env: { TOKEN_SOCKET_TRANSPORT: transport },
    jobs: 3,
  })),
  ...['websocket', ...HTTP_TRANSPORTS].map((transport) => ({
    name: `cluster-${transport}`,
    does: `the same on two nodes with Redis behind nginx, by ${transport}`,
    tests: ['test/end-to-end'],
    files: USER_FILES,
    leftOut: [ON_ONE_NODE_ONLY],
    env: { TOKEN_SOCKET_NODES: '2', TOKEN_SOCKET_TRANSPORT: transport },
    jobs: 3,
  })),
  {
    name: 'chaos',
    does: 'nodes and Redis killed under load',
    tests: ['test/chaos'],
  },
  {
    name: 'interop',
    does: 'the legacy pair, as published, with this one: in a real Chromium, on a real Redis',
    tests: ['test/interop'],
    jobs: 2,
    coverage: true,
  },
  { name: 'browser', does: 'the client in a real Chromium', tests: ['test/browser'], jobs: 3 },
  {
    name: 'bundlers',
    does: 'the packed client in Node and in TypeScript, and as tools find it',
    tests: ['test/bundlers'],
    jobs: 2,
  },
  {
    name: 'matrix',
    does: 'the packed packages with the frameworks, bundlers and test tools of others: the cheap half of `npm run matrix`',
    tests: ['test/matrix'],
    packages: 'test/matrix',
    jobs: 2,
  },
  {
    name: 'docs',
    does: 'the guide as a site, without dead links; and the API reference, as the comments are now',
    tests: ['test/docs'],
    packages: 'docs',
  },
  {
    name: 'repository',
    does: 'imports, file sizes, exports, documents and the lock file, held to the rules',
    tests: ['test/repository'],
  },
  {
    name: 'pack',
    does: 'the packed tarballs: publint, attw, and installed into an empty project',
    command: ['scripts/pack.mjs'],
  },
  { name: 'size', does: 'the script-tag client against its size limit', command: ['scripts/size.mjs'] },
  {
    name: 'coverage',
    does: 'lines covered by the unit and end-to-end tests, against each package’s limit',
    command: ['scripts/coverage.mjs'],
  },
]

/**
 * @param {string} name
 * @returns {Gate} the gate of that name; throws when there is none
 */
export function gateNamed(name) {
  const gate = gates.find((one) => one.name === name)
  if (!gate) throw new Error(`there is no gate named ${name}`)
  return gate
}
