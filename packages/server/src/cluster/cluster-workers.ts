import nodeCluster from 'node:cluster'
import type { Engine } from '../engine/engine.js'
import type { Logger } from '../runtime/logger.js'

/**
 * Warns if this process is one of several, each with an engine of its own. Node's cluster module
 * gives the token request to one worker, and the connection to another.
 * @param isWorker @default whether Node’s cluster module, or PM2 through it, has started this
 *   process
 */
export function warnOfLoneWorker(
  logger: Pick<Logger, 'warn'>,
  engine: Pick<Engine, 'shared'>,
  isWorker: boolean = nodeCluster.isWorker === true,
): void {
  if (engine.shared || !isWorker) return
  const hint = 'Start one process, or give each an engine that they share, such as redisEngine.'
  logger.warn(
    { option: 'engine', hint },
    'this process is a worker of a cluster, and its engine is its own: other workers know neither its tokens nor its sockets',
  )
}
