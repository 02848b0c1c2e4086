import { type ClientMessage, limitError, type SessionInfo } from '@token-socket/protocol'
import { byteLength } from '../runtime/byte-length.js'

/** What is sent: a message's subject, or the function that a result is of. */
export type Sent = ClientMessage | { readonly name: string }

/**
 * Rejects a message that the server would truncate silently, as the legacy one does, or that is too
 * large, which would close the connection and fail every running call. A server that reported no
 * limits gets every message.
 * @param session the server's answer to the token; `undefined` from the legacy one
 * @throws RpcError `unsupported`; `too_large`, which names the function or channel, and the limit
 */
export function checkSent(session: SessionInfo | undefined, text: string, sent: Sent): void {
  const { type, name, channel, event, key } = sent as Readonly<Record<string, string | undefined>>
  if (type === 'send' && !session?.can?.includes('direct')) throw limitError('unsupported', { field: type })
  if (!session && (event || key))
    throw limitError('unsupported', { field: event ? 'event' : 'idempotencyKey' })
  const limit = session?.limits?.message
  // A UTF-16 code unit takes one to three bytes.
  if (limit && text.length * 3 > limit && byteLength(text) > limit)
    throw limitError('too_large', { field: `limits.message of ${name ?? channel ?? 'broadcast'}`, limit })
}
