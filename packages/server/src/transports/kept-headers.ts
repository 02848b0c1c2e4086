import type { IncomingMessage } from 'node:http'

/** Headers that sockjs keeps with a session. */
const KEPT_HEADERS = [
  'referer',
  'x-client-ip',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-cluster-client-ip',
  'via',
  'x-real-ip',
  'x-forwarded-proto',
  'x-ssl',
  'dnt',
  'host',
  'user-agent',
  'accept-language',
]

/** UTF-16 code units of such a header that are accepted, at most. */
const LONGEST_HEADER = 256

/**
 * Removes long headers that sockjs would keep with the session, and that this library never reads
 * there.
 */
export function shortenHeaders({ headers }: IncomingMessage): void {
  for (const name of KEPT_HEADERS) {
    if (String(headers[name] ?? '').length > LONGEST_HEADER) delete headers[name]
  }
}
