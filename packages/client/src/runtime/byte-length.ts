/** Bytes of a text in UTF-8, as the server counts them. By hand: React Native and jsdom lack `TextEncoder`. */
export function byteLength(text: string): number {
  let bytes = 0
  for (const character of text)
    bytes += character < '\x80' ? 1 : character < '\u0800' ? 2 : character.length + 2
  return bytes
}
