/** Tokens that no honest client brings. */
import jwt from 'jsonwebtoken'
import type { Random } from '../protocol/random.js'

const base64 = (text: string) => Buffer.from(text).toString('base64url')

/** Something like a JWT: parts that are no JSON, or not what they should be, now and then with a good signature. */
export function badToken(random: Random, secret: string): string {
  const good = jwt.sign({ scope: 'connect', uid: 'ann' }, secret, {
    expiresIn: 30,
    keyid: 'k',
    audience: 'a',
  })
  const heads = [
    '{"alg":"HS256","typ":"JWT"}',
    '{"alg":"none","typ":"JWT"}',
    '{"alg":"HS256","typ":"JWT","kid":{}}',
    '{"alg":"HS256","kid":["__proto__"],"crit":"x"}',
    '{"alg":1,"typ":{}}',
    ...['null', '[]', '5', '"x"', '{', ''],
  ]
  const payloads = [
    '{"exp":1e999}',
    '{"exp":-1,"jti":{"toString":1}}',
    '{"aud":[[["a"]]],"exp":9999999999,"scope":"connect"}',
    '{"scope":{},"exp":"x","iss":5,"jti":[]}',
    '{"__proto__":{"scope":"connect"}}',
    ...['null', '[]', '[1,2]', '5', '"x"', 'not json', '{', '', '\u0000', '{"jti":"x"}'],
  ]
  const parts = [base64(random.pick(heads as [string])), base64(random.pick(payloads as [string]))]
  const signed = jwt.sign(random.pick(payloads as [string]) || 'x', secret, {
    header: { alg: 'HS256', typ: 'JWT' },
  })
  return random.pick([
    `${parts.join('.')}.${random.pick(['', 'x', base64('x'.repeat(32))])}`,
    signed,
    random.damage(good),
    random.damage(signed),
    random.text(),
    '.'.repeat(1 + random.number(5)),
  ])
}
