import type { Engine } from '@token-socket/server/engine'

/** Limits that a case of the suite requires. */
export interface EngineLimits {
  /** How many tickets the engine may keep. @default the engine's own limit */
  readonly tickets?: number
}

/**
 * Creates the engines of a given number of nodes that share one empty store. The suite closes the
 * engines.
 */
export type CreateNodes = (
  count: number,
  limits?: EngineLimits,
) => readonly Engine[] | Promise<readonly Engine[]>

/** Controls how time passes for an engine. */
export interface EngineClock {
  /** Lets a given number of milliseconds pass. It may also really wait. */
  pass(ms: number): void | Promise<void>
  /** Gives the control back. */
  restore(): void
}

/** The settings of an engine. */
export interface EngineSettings {
  /**
   * Why the engine serves one node only. The suite then leaves out the cases of several nodes.
   * @default none: several nodes share the engine
   */
  readonly oneNode?: string | undefined
  /**
   * Why the engine has no `rates`. The suite then leaves out their cases.
   * @default none: the engine has rates
   */
  readonly noRates?: string | undefined
  /** Starts to control time. */
  clock(): EngineClock
  /**
   * Ends a node without notice, as a crash does. Only for engines of several nodes.
   * @default none: the cases of nodes that die are left out
   */
  kill?(node: Engine): void
}

/** Creates the engines of one case. The suite closes them after it. */
export type MakeNodes = (count: number, limits?: EngineLimits) => Promise<readonly [Engine, ...Engine[]]>
