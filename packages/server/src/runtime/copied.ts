/** A text that keeps no other: the engine makes a slice of a longer text, such as a header, as a view that keeps the whole. */
export function copied(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
