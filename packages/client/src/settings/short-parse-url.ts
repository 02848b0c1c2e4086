import type { ParsedUrl } from './parse-url.js'

/** Replaces `parse-url` in the small scripts: a browser's `URL` is complete. */
export function parseUrl(text: unknown, port?: number): ParsedUrl | undefined {
  try {
    const url = new URL(text as string)
    if (port) url.port = `${port}`
    return url
  } catch {
    return undefined
  }
}
