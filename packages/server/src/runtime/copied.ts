/**
 * Copies a text. V8 keeps the whole of a longer text, such as a header, as long as a slice of it
 * exists.
 */
export function copied(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
