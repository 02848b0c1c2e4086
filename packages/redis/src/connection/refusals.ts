/**
 * Words of refusals that concern Redis as a whole, anywhere in the text: before 7.0 scripts wrap
 * them.
 */
const OWN =
  /\b(OOM|READONLY|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|LOADING|NOPERM|NOAUTH|WRONGTYPE)\b/

/**
 * Refusals that pass soon: another Redis takes over or has the key, or this one is starting or busy
 * with a script.
 */
const PASSING = [
  ...['READONLY', 'NOREPLICAS', 'MASTERDOWN', 'CLUSTERDOWN', 'LOADING', 'BUSY'],
  ...['MOVED', 'ASK', 'TRYAGAIN'],
]

/** Refusals that say nothing about Redis as a whole. */
const ABOUT_KEYS = ['WRONGTYPE', 'ERR']

/**
 * Returns the word with which Redis refused an operation; `undefined` for an error of another
 * origin, such as the network.
 */
function wordOf(cause: unknown): string | undefined {
  const text = cause instanceof Error ? cause.message : String(cause)
  const [word] = /^[A-Z]{2,}(?= )/.exec(text) ?? []
  return word === undefined ? undefined : (OWN.exec(text)?.[1] ?? word)
}

/** Returns whether an error is an answer of Redis, which is therefore alive. */
export function isAnswer(cause: unknown): boolean {
  return wordOf(cause) !== undefined
}

/**
 * Returns whether an operation may succeed soon: Redis could not be reached, or is being replaced.
 */
export function isPassing(cause: unknown): boolean {
  const word = wordOf(cause)
  return word === undefined || PASSING.includes(word)
}

/** Returns why Redis refuses operations in general, as a word. */
export function refusalOf(cause: unknown): string | undefined {
  const word = wordOf(cause)
  return word === undefined || ABOUT_KEYS.includes(word) ? undefined : word
}
