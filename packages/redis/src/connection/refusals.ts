/** Words by which Redis says that it refuses for reasons of its own, wherever they stand: before 7.0 scripts wrap them. */
const OWN =
  /\b(OOM|READONLY|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|LOADING|NOPERM|NOAUTH|WRONGTYPE)\b/

/** Those that are over soon: another Redis is about to take over, or has the key, or this one to begin, or to be done with a script. */
const PASSING = [
  ...['READONLY', 'NOREPLICAS', 'MASTERDOWN', 'CLUSTERDOWN', 'LOADING', 'BUSY'],
  ...['MOVED', 'ASK', 'TRYAGAIN'],
]

/** Those that say nothing of Redis as a whole. */
const ABOUT_KEYS = ['WRONGTYPE', 'ERR']

/** The word with which Redis refused something; `undefined` for what it did not say, such as that it can't be reached. */
function wordOf(cause: unknown): string | undefined {
  const text = cause instanceof Error ? cause.message : String(cause)
  const [word] = /^[A-Z]{2,}(?= )/.exec(text) ?? []
  return word === undefined ? undefined : (OWN.exec(text)?.[1] ?? word)
}

/** Whether Redis itself said it, and so lives. */
export function isAnswer(cause: unknown): boolean {
  return wordOf(cause) !== undefined
}

/** Whether what failed may do better in a moment: Redis could not be reached, or is being replaced. */
export function isPassing(cause: unknown): boolean {
  const word = wordOf(cause)
  return word === undefined || PASSING.includes(word)
}

/** Why Redis refuses more than one thing, in a word. */
export function refusalOf(cause: unknown): string | undefined {
  const word = wordOf(cause)
  return word === undefined || ABOUT_KEYS.includes(word) ? undefined : word
}
