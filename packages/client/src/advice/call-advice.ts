import { isPlain, nearestName } from '@token-socket/protocol'

/** By method: the place of its options among the arguments, and their names. */
const OPTIONS: ReadonlyMap<string, readonly [index: number, names: readonly string[]]> = new Map([
  ['rpc', [2, ['timeout', 'signal']]],
  ['notify', [2, []]],
  ['publish', [2, ['event', 'idempotencyKey']]],
  ['ready', [0, ['timeout']]],
])

/**
 * What is unusual about the options of a call: names that mean nothing, options in the place of the data, and a callback
 * beside options, which is never called.
 */
export function callAdvice(method: string, args: readonly unknown[]): readonly string[] {
  const [index, names] = OPTIONS.get(method) ?? []
  if (index === undefined || !names) return []
  const options = namesIn(args[index])
  const unknown = options.filter((name) => !names.includes(name)).map((name) => unknownOption(name, names))
  return [...unknown, ...misplaced(args, index, names)]
}

function unknownOption(name: string, names: readonly string[]): string {
  const near = nearestName(name, names)
  return `there is no option ${name}, so it is ignored.${near ? ` Did you mean ${near}?` : ''}`
}

function misplaced(args: readonly unknown[], index: number, names: readonly string[]): readonly string[] {
  if (index === 0) return []
  const data = namesIn(args[index - 1])
  const isData = data.length > 0 && data.every((name) => names.includes(name)) && args[index] === undefined
  const isDeaf = namesIn(args[index]).length > 0 && typeof args[index + 1] === 'function'
  return [
    ...(isData ? [`{ ${data.join(', ')} } is the data here: options come after the data.`] : []),
    ...(isDeaf ? ['the callback beside options is never called: use the promise.'] : []),
  ]
}

/** The names of a plain object's fields. */
function namesIn(value: unknown): readonly string[] {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value)
  return isObject ? Object.keys(value) : []
}
