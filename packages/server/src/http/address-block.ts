import { isIPv4, isIPv6 } from 'node:net'

/**
 * UTF-16 code units that count of a text that is no address, such as a proxy's own name for a
 * client.
 */
const LONGEST = 64

/**
 * Matches `1.2.3.4:5678`, `[::1]:5678` and `[::1]`, as some proxies write addresses into
 * `X-Forwarded-For`. Each connection has another port.
 */
const WITH_PORT = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/

/** The 16-bit groups of an IPv6 address. */
type Groups = readonly number[]

/**
 * Networks whose addresses contain the IPv4 address of one subscriber. Sources: RFC 4291, 6052,
 * 7915, 3056, 4380.
 */
const WITH_IPV4: readonly {
  readonly prefix: Groups
  ipv4(groups: Groups): Groups
}[] = [
  { prefix: [0, 0, 0, 0, 0, 0xffff], ipv4: (groups) => groups.slice(6) },
  { prefix: [0, 0, 0, 0, 0xffff, 0], ipv4: (groups) => groups.slice(6) },
  { prefix: [0x64, 0xff9b, 0, 0, 0, 0], ipv4: (groups) => groups.slice(6) },
  { prefix: [0x2002], ipv4: (groups) => groups.slice(1, 3) },
  // Teredo inverts every bit of it.
  { prefix: [0x2001, 0], ipv4: (groups) => groups.slice(6).map((group) => group ^ 0xffff) },
]

/** Returns an address without the port that a proxy appended. Any other text stays as it is. */
export function withoutPort(address: string): string {
  const [, v6, v4] = WITH_PORT.exec(address) ?? []
  if (v6 !== undefined && isIPv6(v6)) return v6
  return v4 !== undefined && isIPv4(v4) ? v4 : address
}

/**
 * Returns the key that limits for each address count by: an IPv4 address, or the first 64 bits of
 * an IPv6 address, since one subscriber has all addresses below them. Source: RFC 6177. IPv6
 * addresses that contain an IPv4 address count by that one. Addresses whose first 64 bits many
 * hosts share count whole: link-local ones, the machine's own, and those of a translator's own
 * prefix (RFC 8215). Ports do not count; a text that is no address counts as it is.
 */
export function addressBlock(address: string): string {
  const plain = withoutPort(address)
  if (!isIPv6(plain)) return plain.slice(0, LONGEST)
  const [digits = '', zone] = plain.split('%', 2)
  const groups = groupsOf(digits)
  const inside = WITH_IPV4.find(({ prefix }) => prefix.every((group, at) => groups[at] === group))
  if (inside) return dotted(inside.ipv4(groups))
  if (isLinkLocal(groups)) return `${hex(groups)}${zone === undefined ? '' : `%${zone}`}`.slice(0, LONGEST)
  return isWhole(groups) ? hex(groups) : `${hex(groups.slice(0, 4))}::/64`
}

function isLinkLocal([first = 0]: Groups): boolean {
  return (first & 0xffc0) === 0xfe80
}

function isWhole([first, second, third, fourth]: Groups): boolean {
  if (first === 0x64 && second === 0xff9b) return true
  return first === 0 && second === 0 && third === 0 && fourth === 0
}

function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const left = parse(head)
  if (tail === undefined) return left
  const right = parse(tail)
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right]
}

/** An IPv4 address at the end stands for two groups. */
function parse(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}

function hex(groups: Groups): string {
  return groups.map((group) => group.toString(16)).join(':')
}

function dotted(groups: Groups): string {
  return groups.flatMap((group) => [group >> 8, group & 0xff]).join('.')
}
