import { type ClientMessage, encodeClientMessage, RpcError, refusal } from '@token-socket/protocol'
import { byteLength, isLarger } from './byte-length.js'
import type { Link } from './link.js'

/** The requests that publish. Of these the legacy server answers only those that it refuses. */
export function isPublishing({ type }: ClientMessage): boolean {
  return type === 'publish' || type === 'broadcast'
}

/**
 * Why a message is not sent on a link: the legacy server would drop a part of it silently, or it is larger than the server
 * takes, which would cost the connection and every call in flight. A server that told no limits gets everything.
 * @param subject the function that a result is of
 * @returns RpcError `unsupported`; `too_large`, which names the function or channel, and the limit
 */
export function refusalOf(
  link: Link,
  text: string,
  message: ClientMessage | { readonly name: string },
): RpcError | undefined {
  const { event, key } = message as { readonly event?: string; readonly key?: string }
  if (link.isOld && (event || key))
    return refusal('unsupported', { field: event ? 'event' : 'idempotencyKey' })
  const { limits } = link
  const tooLarge = (field: 'message' | 'publication') => {
    const { name, channel } = message as { readonly name?: string; readonly channel?: string }
    const limit = limits?.[field]
    const what = name ?? channel ?? 'broadcast'
    const about = { field: `limits.${field}`, limit, ...(name ? { name } : { channel }) }
    return new RpcError('too_large', `Too large: ${what} (limits.${field} ${limit} bytes)`, about)
  }
  if (!limits) return undefined
  if (isLarger(text, limits.message)) return tooLarge('message')
  const isOfData = 'type' in message && isPublishing(message) && isLarger(text, limits.publication)
  return isOfData && dataSize(text, message) > limits.publication ? tooLarge('publication') : undefined
}

/** Bytes of a message's data, as JSON: of what was encoded then, whatever has become of it since. */
function dataSize(text: string, message: ClientMessage): number {
  return byteLength(text) - byteLength(encodeClientMessage({ ...message, data: 0 } as ClientMessage)) + 1
}
