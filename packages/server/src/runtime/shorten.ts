/** Characters of a client's text that a line of the log has. */
const LENGTH = 128

/** A client's text as the log has it: cut after 128 characters. */
export function shorten(text: string): string {
  return text.length > LENGTH ? `${text.slice(0, LENGTH)}…` : text
}
