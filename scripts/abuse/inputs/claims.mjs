// Claims, as a signed token or an application's code may bring them: read, or refused with `bad_claims` and the field.
import { RpcError } from '@token-socket/protocol'
import { readClaims } from '../../../packages/server/src/claims/claims.ts'
import { Grants } from '../../../packages/server/src/claims/grants.ts'
import { Breach, shrink } from './breach.mjs'
import { mutateFields, mutateText, NAMES, object, quoted, value } from './values.mjs'

/** Milliseconds that reading one set of claims and asking for one channel may take. */
const LIMIT = 250

const PATTERNS = [
  ...[
    'chat-*',
    '*',
    '**',
    'a.*.b',
    '#^chat-[0-9]+$',
    '#(a+)+$',
    '#(a|a)*b',
    '#[',
    '#(?=x)',
    '#a{1000}',
    '#(a{30}){30}',
  ],
  ...['#\\p{L}+', '#(?i)x', '#\\1', '#.*.*.*.*x', '#', 'a'.repeat(300), '*'.repeat(100), '__proto__'],
]

const BOOLEANS = ['true', 'false', 'true', '1', '"false"', 'null']

const name = (random) => quoted(random.pick(random.chance(70) ? PATTERNS : NAMES))

function table(random, make, most = 4) {
  return `{${random.list(0, most, () => `${name(random)}:${make(random)}`).join(',')}}`
}

function message(random) {
  const fields = [
    ['publish', random.pick(BOOLEANS)],
    ['echo', random.pick(BOOLEANS)],
    ['store', value(random, 0)],
  ]
  return object(random.chance(30) ? mutateFields(random, fields) : fields.slice(random.number(3)))
}

function channel(random) {
  const fields = [
    ['subscribe', random.pick(BOOLEANS)],
    ['autoSubscribe', random.pick(BOOLEANS)],
    ['historyStart', value(random, 0)],
    ['messages', table(random, message)],
  ]
  return object(random.chance(30) ? mutateFields(random, fields) : fields.filter(() => random.chance(50)))
}

/** Claims as JSON. */
export function claimsText(random) {
  const fields = [
    ['uid', quoted(random.pick(NAMES))],
    ['umd', value(random)],
    ['channels', table(random, channel)],
  ]
  const text = object(
    random.chance(30) ? mutateFields(random, fields) : fields.filter(() => random.chance(80)),
  )
  return random.chance(5) ? mutateText(random, text) : text
}

function faultOf(text) {
  let parsed
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  const start = performance.now()
  try {
    const read = readClaims(parsed)
    if (read?.channels) {
      const grants = Grants.of(read)
      for (const asked of ['chat-1', `${'a'.repeat(40)}!`, '__proto__']) grants.covers(asked)
    }
  } catch (error) {
    if (!RpcError.is(error) || error.code !== 'bad_claims' || typeof error.data?.field !== 'string')
      return `reading throws ${error}`
  }
  const took = performance.now() - start
  return took > LIMIT ? `reading took ${Math.round(took)} ms` : undefined
}

export function claims(random, count) {
  for (let index = 0; index < count; index += 1) {
    const text = claimsText(random)
    const fault = faultOf(text)
    if (fault)
      throw new Breach(
        fault,
        shrink(text, (shorter) => faultOf(shorter) !== undefined),
      )
  }
  return { answered: count, closed: 0 }
}
