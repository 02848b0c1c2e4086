import { type ClientMessage, limitError, type SessionInfo } from '@token-socket/protocol'
import { byteLength } from '../runtime/byte-length.js'

/** What is to be sent, or the function that a result is of. */
export type Sent = ClientMessage | { readonly name: string }

/**
 * Refuses what a server would drop a part of silently, as the legacy one does, or what is larger than it takes, which would
 * cost the connection and every call in flight. A server that told no limits gets everything.
 * @param session what the server said when it let us in; `undefined` from the legacy one
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
