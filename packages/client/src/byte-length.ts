/**
 * Bytes of a text in UTF-8, as the server counts them. By hand: React Native and jsdom lack `TextEncoder`. An unpaired
 * surrogate, which JSON always escapes, counts as two bytes.
 */
export function byteLength(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit > 0x7f) bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2
  }
  return bytes
}

/** Whether a text has more bytes than a limit. A UTF-16 code unit has one to three. */
export function isLarger(text: string, limit: number): boolean {
  return text.length > limit || (text.length * 3 > limit && byteLength(text) > limit)
}
