/** The most characters of a client's text in a line of the log. */
const LENGTH = 128

/** Shortens a client's text for the log, to 128 characters. */
export function shorten(text: string): string {
  return text.length > LENGTH ? `${text.slice(0, LENGTH)}…` : text
}
