// JWTs, changed in every way: only what this server's key has signed is let in.
import jwt from 'jsonwebtoken'
import { secretKey, Tokens } from '../../../packages/server/src/authentication/tokens.ts'
import { Breach } from './breach.mjs'
import { SECRET } from './site.mjs'
import { mutateFields, mutateText, NAMES, object, quoted, value } from './values.mjs'

const tokens = new Tokens({ keys: secretKey(SECRET), audience: 'token-socket', ttl: 3_600_000 })
const encode = (text) => Buffer.from(text).toString('base64url')
const decode = (text) => Buffer.from(text, 'base64url').toString()
const ALGORITHMS = ['none', 'None', 'HS256', 'HS384', 'RS256', '', null, 5, ['HS256']]

const good = [
  tokens.issue().token,
  jwt.sign({ scope: 'connect', uid: 'a' }, SECRET, { expiresIn: 3600 }),
  jwt.sign({ scope: 'subscribe', connectionId: 'x' }, SECRET, { expiresIn: 3600, jwtid: 'once' }),
]
/** What was signed. Whatever has another signing input is a forgery. */
const signed = new Set(good.map((token) => token.slice(0, token.lastIndexOf('.'))))

function fieldsOf(part) {
  return Object.entries(JSON.parse(decode(part))).map(([name, one]) => [name, JSON.stringify(one)])
}

/** A token that is not one of ours. */
export function forged(random) {
  const token = random.pick(good)
  const [header, payload, signature] = token.split('.')
  const kind = random.number(7)
  if (kind === 0) return mutateText(random, token)
  if (kind === 1) return `${encode(object(mutateFields(random, fieldsOf(header))))}.${payload}.${signature}`
  if (kind === 2) return `${header}.${encode(object(mutateFields(random, fieldsOf(payload))))}.${signature}`
  if (kind === 3)
    return `${encode(JSON.stringify({ alg: random.pick(ALGORITHMS), kid: random.pick(NAMES) }))}.${payload}.${random.pick(['', signature])}`
  if (kind === 4)
    return `${header}.${payload}.${random.pick(good).split('.')[2]}${random.pick(['', '=', 'A', '.', '.x'])}`
  if (kind === 5) return `${encode(value(random))}.${encode(value(random))}.${encode(random.pick(NAMES))}`
  return random.chance(50) ? random.pick(NAMES) : quoted(random.pick(NAMES))
}

/** Whether it lets a connection in, now. */
export function isGood(token) {
  try {
    return tokens.verify(token) !== undefined
  } catch {
    return false
  }
}

const EXPIRIES = ['4000000000', '1', '-1', '"x"', 'null', '1e308', '1e400', '[4000000000]']
const SCOPES = ['"connect"', '"subscribe"', '"admin"', '1', 'null', '["connect"]']
const IDS = ['"a"', '""', '5', '{}', 'null']
const AUDIENCES = ['"token-socket"', '"x"', '["x"]', '["token-socket","x"]', '5', 'null']

/** Mostly a good one: a token with two faults hides one of them. */
const mostly = (random, good, choices) => (random.chance(70) ? good : random.pick(choices))

/** Claims that our key did sign, of the wrong shape. */
function oddlySigned(random) {
  const fields = [
    ['exp', random.pick(EXPIRIES)],
    ['scope', mostly(random, '"connect"', SCOPES)],
    ['jti', mostly(random, '"a"', IDS)],
    ['aud', mostly(random, '"token-socket"', AUDIENCES)],
  ]
  return jwt.sign(object(fields.filter(() => random.chance(80))), SECRET, { algorithm: 'HS256' })
}

/** Whether a token whose claims our key signed may be let in. */
function mayPass(token) {
  const { exp, scope, jti, aud } = jwt.decode(token) ?? {}
  const isForUs = [aud].flat().includes('token-socket')
  const hasId = typeof jti === 'string' && jti !== ''
  if (!(Number.isFinite(exp) && exp > 1e9)) return false
  if (scope === undefined) return isForUs && Boolean(jti)
  return (
    ['connect', 'subscribe'].includes(scope) && (aud === undefined || isForUs) && (jti === undefined || hasId)
  )
}

export function tokensOf(random, count) {
  for (let index = 0; index < count; index += 1) {
    const isOurs = random.chance(20)
    const token = isOurs ? oddlySigned(random) : forged(random)
    let contents
    try {
      contents = tokens.verify(token)
    } catch (error) {
      if (error instanceof Error) continue
      throw new Breach(`verifying throws ${error}`, token)
    }
    const isMeant = isOurs ? mayPass(token) : signed.has(token.slice(0, token.lastIndexOf('.')))
    if (!isMeant || !(contents.ticket ?? contents.claims))
      throw new Breach('a token is let in that must not be', token)
  }
  return { answered: count, closed: 0 }
}
