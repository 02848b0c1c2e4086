import type { ParsedUrl } from './parse-url.js'

/** Of `parse-url`, for scripts whose bytes count: a browser's `URL` has all parts. */
export function parseUrl(text: unknown, port?: number): ParsedUrl | undefined {
  try {
    const url = new URL(text as string)
    if (port) url.port = `${port}`
    return url
  } catch {
    return undefined
  }
}
