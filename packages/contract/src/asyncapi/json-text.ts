/**
 * Writes a value as JSON.
 * @param space how far nested values are indented. @default 0, all on one line
 */
export function toJson(value: unknown, space = 0): string {
  return JSON.stringify(value, null, space)
}

/** Reads JSON. @throws SyntaxError */
export function fromJson(text: string): unknown {
  return JSON.parse(text)
}

/** A text of the model in a message: quoted, on one line, and not long. */
export function quote(text: string): string {
  return toJson(text.length > 100 ? `${text.slice(0, 100)}…` : text)
}
