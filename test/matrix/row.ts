/** A row of the matrix: a tool or library of others, and what becomes of the pair beside it. */
import type { Application } from './application.js'

/** The groups in the order of the document. */
export const GROUPS = [
  'Runtimes',
  'Package managers',
  'Frameworks',
  'Middleware',
  'Beside other servers',
  'Processes',
  'Engines',
  'Redis clients',
  'Proxies',
  'Bundlers',
  'Test runners',
  'Pages and workers',
  'Clients',
  'TypeScript',
] as const

/** A heading of `docs/SUPPORT.md`. */
export type Group = (typeof GROUPS)[number]

/** One thing that people use the pair with. */
export interface Row {
  readonly group: Group
  /** Unique in its group: `Jest 30, jsdom`. */
  readonly name: string
  /** What the application installs of others. */
  readonly packages: readonly Package[]
  /** What it installs of this repository, by folder. @default protocol, client and server */
  readonly ours?: readonly string[]
  /** The row runs in `npm test`, by links to installed packages and without a network. @default false */
  readonly suite?: boolean
  /** Its package.json names what it installs, and the row has it installed. @default false */
  readonly isBare?: boolean
  /** Programs that npm does not install, by the variables of `scripts/executables.mjs`: `CHROMIUM`. */
  readonly programs?: readonly string[]
  readonly expected: 'works' | 'refused'
  /** What a user has to set or know: one sentence, for the document. */
  readonly note?: string
  /** Why the row cannot run here, for the document. It is then never run, and `expected` is what is thought. */
  readonly unavailable?: string
  /** Tries it. @throws where it neither works nor is refused clearly */
  run(application: Application): Promise<Outcome>
}

/** A package of others. */
export interface Package {
  readonly name: string
  /** A version or range, as in a package.json. */
  readonly version: string
  /** Its folder in `test/matrix/node_modules`, or in the root's, where that is not the name. */
  readonly alias?: string
}

/** What a row came to. */
export interface Outcome {
  /** What was tried, for the document: `5.3.0`. */
  readonly version: string
  /** What the refusal said. Without it the row works. */
  readonly message?: string
}
