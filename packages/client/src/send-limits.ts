import { type ClientMessage, type RpcError, refusal } from '@token-socket/protocol'
import { byteLength } from './byte-length.js'
import type { Link } from './link.js'

/**
 * Why a message is not sent on a link: the legacy server would drop a part of it silently, or it is larger than the server
 * takes, which would cost the connection and every call in flight. A server that told no limits gets everything.
 * @param message the message, or the function that a result is of
 * @returns RpcError `unsupported`; `too_large`, which names the function or channel, and the limit
 */
export function refusalOf(
  link: Link,
  text: string,
  message: ClientMessage | { readonly name: string },
): RpcError | undefined {
  const { name, channel, event, key } = message as Readonly<Record<string, string | undefined>>
  if (link.isOld && (event || key))
    return refusal('unsupported', { field: event ? 'event' : 'idempotencyKey' })
  const limit = link.session?.limits?.message
  // A UTF-16 code unit takes one to three bytes.
  if (!limit || text.length * 3 <= limit || byteLength(text) <= limit) return undefined
  return refusal('too_large', { field: `limits.message of ${name ?? channel ?? 'broadcast'}`, limit })
}
