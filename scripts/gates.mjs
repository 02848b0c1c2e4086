// The gates: every check that a change passes before it is merged. `scripts/test.mjs` and the Gruntfile both read this
// table, so a gate is defined once. What a gate does when it runs is in `run-gate.mjs`.

import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** How long a gate may take, in seconds, before it is killed and counted as failed. */
export const GATE_LIMIT = 300

/**
 * @typedef {object} Gate
 * @property {string} name
 * @property {string} does what it checks, in one line
 * @property {string[]} [command] a program run by Node: it passes or fails as one
 * @property {string[]} [tests] folders of Mocha tests: each test counts
 * @property {number} [jobs] how many of its files run at once: of tests that wait more than they work
 * @property {boolean} [coverage] what its processes ran counts as covered
 */

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
    coverage: true,
  },
  {
    name: 'end-to-end',
    does: 'real servers and real clients, and the SockJS protocol',
    tests: ['test/end-to-end', 'test/conformance'],
    coverage: true,
  },
  {
    name: 'engines',
    does: 'the engines that outlive a process: killed, and started again',
    tests: ['test/lmdb', 'test/redis'],
    jobs: 4,
    coverage: true,
  },
  {
    name: 'interop',
    does: 'the old pair, as published, with this one: in a real Chromium, on a real Redis',
    tests: ['test/interop'],
    coverage: true,
  },
  { name: 'browser', does: 'the client in a real Chromium', tests: ['test/browser'] },
  {
    name: 'bundlers',
    does: 'the packed client in Node, in TypeScript, and in pages built by Vite, esbuild, Rollup and webpack',
    tests: ['test/bundlers'],
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
