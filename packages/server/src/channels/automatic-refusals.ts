import { shorten } from '../runtime/shorten.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { codeOf } from '../runtime/thrown-values.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { RefusalListener } from './automatic-subscriptions.js'

/** Logs why automatic subscriptions of a socket were refused. */
export function logRefusals(
  log: Pick<ThrottledLog, 'write'>,
  { sid, uid }: Pick<ServerSocket, 'sid' | 'uid'>,
): RefusalListener {
  return (channel, error) => {
    const reason = error instanceof Error ? error.message : ''
    const details = { sid, uid, channel: shorten(channel), code: codeOf(error), reason: shorten(reason) }
    log.write('automatic subscription', ['info', details, 'an automatic subscription was refused'])
  }
}
