/** What takes the place of a query. */
const HIDDEN = '?…'

/**
 * What an application threw about a request, for the log and for listeners: an error that repeats the query of the URL, which
 * may hold credentials, becomes a copy with its name, and a text and a stack without the query. Never throws.
 * @param url of the request
 */
export function withoutQuery(cause: unknown, url = ''): unknown {
  const query = url.includes('?') ? url.slice(url.indexOf('?')) : ''
  if (query.length < 2) return cause
  try {
    return copied(cause, (text) => hide(text, query))
  } catch {
    return new Error('connectAuthentication threw what cannot be read')
  }
}

function copied(cause: unknown, clean: (text: string) => string): unknown {
  if (typeof cause === 'string') return clean(cause)
  // Own properties, such as the `input` of an invalid URL, stay behind.
  if (!(cause instanceof Error)) return new Error(`connectAuthentication threw ${typeof cause}`)
  const { name, message, stack = '' } = cause
  const copy = new Error(clean(message))
  Object.defineProperty(copy, 'name', { value: name, configurable: true, writable: true })
  copy.stack = clean(stack)
  return copy
}

/** Hides a query, and each of its longer values, also decoded. */
function hide(text: string, query: string): string {
  const values = [...new URLSearchParams(query).values(), ...rawValues(query)]
  const secrets = [query, query.slice(1), ...values].filter((secret) => secret.length >= SHORTEST)
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
}

/** UTF-16 code units of a value that may be a secret. */
const SHORTEST = 6

/** The values as the URL has them. */
function rawValues(query: string): string[] {
  const fields = query.slice(1).split('&')
  return fields.map((field) => field.slice(field.indexOf('=') + 1))
}
