import { badOption } from '@token-socket/protocol'
import { checkGiven } from '../given-contract.js'

const isObject = (value: unknown) => typeof value === 'object' && value !== null
const isWait = (value: unknown) => typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY
const isSpan = (value: unknown) =>
  Array.isArray(value) && value.length === 2 && value.every(isWait) && value[0] <= value[1]

/** What an option has to be, and whether it is. */
const RULES: ReadonlyMap<string, readonly [what: string, isRight: (value: unknown) => boolean]> = new Map([
  ['handlers', ['an object of functions', isObject]],
  ['seed', ['text or a number', (value) => typeof value === 'string' || typeof value === 'number']],
  [
    'latency',
    ['milliseconds, or [least, most] with the least first', (value) => isWait(value) || isSpan(value)],
  ],
  ['errors', ['an object, by the names of operations', isObject]],
])

/**
 * @throws RpcError `bad_option`, which names an option that does not exist or is wrong, or the
 *   contract
 */
export function checkMock(contract: unknown, options: object): void {
  checkGiven(contract)
  for (const [name, value] of Object.entries(options)) {
    const [what, isRight] = RULES.get(name) ?? []
    if (!what || !isRight) throw badOption(name, `one of ${[...RULES.keys()].join(', ')}`)
    if (value !== undefined && !isRight(value)) throw badOption(name, what)
  }
}
