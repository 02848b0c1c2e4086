import { isIPv6 } from 'node:net'

/** UTF-16 code units of a text that is no address, such as a proxy's own name for a client, that count. */
const LONGEST = 64

/**
 * What limits for each address count by: an IPv4 address, or the first 64 bits of an IPv6 address, since a network gives
 * all addresses below those to one subscriber. Source: RFC 6177.
 */
export function addressBlock(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (!isIPv6(plain)) return plain.slice(0, LONGEST)
  const [head = '', tail] = (plain.split('%', 1)[0] ?? '').split('::')
  const left = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - left.length - lengthOf(tail)
  const groups = [...left, ...Array.from({ length: missing }, () => '0'), ...(tail ? tail.split(':') : [])]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

/** How many groups of 16 bits the end of an address has; an IPv4 address at its end stands for two. */
function lengthOf(tail: string): number {
  if (tail === '') return 0
  return tail.split(':').length + (tail.includes('.') ? 1 : 0)
}
