import { createHash } from 'node:crypto'
import { encodeData, type PublishMessage } from '@token-socket/protocol'
import type { PublishOptions } from '../engine/engine.js'
import type { ServerSocket } from '../socket/server-socket.js'

/** The engine's key for a key of the server's own. No client's is the same. */
export function serverKey(key: string | undefined): Pick<PublishOptions, 'idempotencyKey'> {
  return key === undefined ? {} : { idempotencyKey: `s:${key}` }
}

/**
 * The engine's key for a client's: of this user, channel and event alone. So no user can use up the key of another user, or be
 * answered with the receipt of a publication that they may not make. A hash, so that its length is bounded.
 */
export function clientKey(
  socket: ServerSocket,
  { channel, event = '', key }: Pick<PublishMessage, 'channel' | 'event' | 'key'>,
): Pick<PublishOptions, 'idempotencyKey' | 'keyOwner'> {
  if (key === undefined) return {}
  const owner = socket.subject ?? `sid:${socket.sid}`
  return { idempotencyKey: `c:${hash([owner, channel, event, key])}`, keyOwner: hash([owner]) }
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(encodeData(parts)).digest('base64url')
}
