import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** The server alone, or all of its nodes, on one core; the loader, and Redis, on another. */
export const CORES = { server: 0, loader: 1 }

/** Whether processes can be kept on a core: with taskset, and where there are two. */
export const canPin =
  availableParallelism() > 1 &&
  Object.values(CORES).every((core) => spawnSync('taskset', ['-c', String(core), 'true']).status === 0)

/** How it is, for the output. */
export const pinning = canPin
  ? `pinned: server, all of its nodes, on core ${CORES.server}, loader and Redis on core ${CORES.loader}`
  : 'not pinned (that takes taskset and two cores): less reliable'
