import type { IncomingMessage } from 'node:http'

/** UTF-16 code units of a URL. SockJS clients never have more than 300. */
export const LONGEST_URL = 2048

/** The same for an upgrade whose URL has credentials, such as a signature, or a token. */
export const SIGNED_URL = 10_240

/** Header fields of an upgrade. A browser sends about 20, and each proxy adds a few. */
const HEADERS = 100

/**
 * Bytes of all their names and values. Node's own limit is the same, unless the application raises
 * it.
 */
const HEADER_BYTES = 16 * 1024

/**
 * Returns the status that refuses an upgrade for its size, if one does. Sources: RFC 9110, section
 * 15.5.15; RFC 6585, section 5.
 * @param longest UTF-16 code units that its URL may have
 */
export function refusalOfSize(
  { url = '', rawHeaders }: IncomingMessage,
  longest = LONGEST_URL,
): string | undefined {
  if (url.length > longest) return '414 URI Too Long'
  const isLarge = rawHeaders.length > HEADERS * 2 || lengthOf(rawHeaders) > HEADER_BYTES
  return isLarge ? '431 Request Header Fields Too Large' : undefined
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0)
}
