/** The parts of a URL that the client reads. */
export type ParsedUrl = Pick<URL, 'hash' | 'host' | 'href' | 'origin' | 'pathname' | 'protocol'>

/** Protocol, host, port, path, query, fragment. */
const PARTS =
  /^((?:http|ws)s?:)[/\\]{2}(?:[^/?#\\]*@)?([^\s/?#@:[\]\\]+|\[[\da-f:.]+\])(?::(\d{0,5}))?([/\\][^?#]*)?(\?[^#]*)?(#.*)?$/i

/** Matches a URL of another protocol than HTTP or WebSocket; its first group is the protocol. */
const OTHER = /^(?!(?:http|ws)s?:)([a-z][a-z\d+.-]*:)/i

/**
 * Parses a URL. Not by the platform's `URL`: parts of React Native's throw, and it adds a slash to
 * each text.
 * @param port wins over the port in the URL
 * @returns `undefined` for an invalid URL; only the protocol of one that is not HTTP or WebSocket
 */
export function parseUrl(text: unknown, port?: number): ParsedUrl | undefined {
  const written = textOf(text)
  const [, scheme, name, own, path = '/', query = '', hash = ''] = PARTS.exec(written) ?? []
  if (!scheme || !name) return parseOther(written)
  const used = Number(port ?? own)
  if (used > 65_535) return undefined
  const protocol = scheme.toLowerCase()
  const isUsual = !used || used === (/^(?:https|wss):$/.test(protocol) ? 443 : 80)
  const host = name.toLowerCase() + (isUsual ? '' : `:${used}`)
  const pathname = path.replace(/\\/g, '/')
  const origin = `${protocol}//${host}`
  return { hash, host, href: origin + pathname + query + hash, origin, pathname, protocol }
}

function parseOther(text: string): ParsedUrl | undefined {
  const protocol = OTHER.exec(text)?.[1]?.toLowerCase()
  return protocol ? { hash: '', host: '', href: text, origin: 'null', pathname: '', protocol } : undefined
}

/** An application may pass anything: its `toString` may throw. */
function textOf(value: unknown): string {
  try {
    // Such as the line break at the end of a file or a variable.
    return String(value).trim()
  } catch {
    return ''
  }
}
