/** The number of slots that the keys of a cluster are divided into. */
export const SLOTS = 16_384

/** CRC-16/XMODEM of each byte. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let rest = byte << 8
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 0x8000 ? (rest << 1) ^ 0x1021 : rest << 1
  return rest
})

/**
 * Returns the slot of a key or a Redis channel in a cluster. If the name has braces, only the text
 * in the first braces counts.
 */
export function slotOf(key: string): number {
  const start = key.indexOf('{')
  const end = start < 0 ? -1 : key.indexOf('}', start)
  const hashed = end > start + 1 ? key.slice(start + 1, end) : key
  let sum = 0
  for (const byte of Buffer.from(hashed))
    sum = ((sum << 8) ^ (TABLE[((sum >> 8) ^ byte) & 0xff] ?? 0)) & 0xffff
  return sum % SLOTS
}
