/** Claims that restrict a token, in types that they do not have: what is ignored would let it in. */
import { MemoryEngine, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { Revocations } from '#server/authentication/revocations.js'
import { TokenAuthenticator } from '#server/authentication/token-authenticator.js'
import { secretKey, Tokens } from '#server/authentication/tokens.js'
import { rejection } from '../protocol/rejection.js'
import { RecordedLog } from './recorded-log.js'
import { makeSocket } from './sockets.js'

const SECRET = 'the secret of the application, of 32 bytes'

/** A value of each type that JSON has, and what others write for `true`, `false` and a time. */
const VALUES = [null, true, false, 0, 1, 2_000_000_000, '', 'true', 'false', '1', [], [true], ['a'], {}]

type Value = (typeof VALUES)[number]

const isTime = (value: Value) => typeof value === 'number'

/** By claim, the values that it may have. Any other refuses the token. */
const ALLOWED: Readonly<Record<string, (value: Value) => boolean>> = {
  scope: () => false,
  exp: (value) => value === 2_000_000_000,
  nbf: (value) => isTime(value) && value !== 2_000_000_000,
  iat: (value) => isTime(value) && value !== 2_000_000_000,
  jti: (value) => typeof value === 'string' && value !== '',
  singleUse: (value) => typeof value === 'boolean',
  iss: () => false,
  aud: () => false,
  uid: (value) => typeof value === 'string' && value !== '',
  channels: (value) => JSON.stringify(value) === '{}',
}

/** By claim inside `channels`, in the same way. */
const ALLOWED_INSIDE: Readonly<Record<string, (value: Value) => boolean>> = {
  subscribe: (value) => typeof value === 'boolean',
  autoSubscribe: (value) => typeof value === 'boolean',
  historyStart: isTime,
  messages: (value) => JSON.stringify(value) === '{}',
  publish: (value) => typeof value === 'boolean',
  echo: (value) => typeof value === 'boolean',
  store: isTime,
}

describe('claims of a signed token', () => {
  const log = new RecordedLog()
  const issuer = 'https://issuer.example'
  const tokens = new Tokens({ keys: secretKey(SECRET), audience: 'token-socket', issuer, ttl: 30_000 })
  const engine = new MemoryEngine()
  const revocations = new Revocations({
    ...engine,
    tokenTtl: 30_000,
    limits: { authenticationTimeout: 10_000 },
  })
  const tokenAuthenticator = new TokenAuthenticator({ tokens, revocations, engine, log })

  after(() => engine.close())

  const exp = () => Math.floor(Date.now() / 1000) + 30
  const good = () => ({ scope: 'connect', iss: issuer, exp: exp() })

  /** Signed as a text: the library that signs would refuse some. */
  const sign = (claims: object) => {
    const text = JSON.stringify(claims)
    return jwt.sign(text, SECRET, { header: { alg: 'HS256', typ: 'JWT' } })
  }

  async function judged(claims: object): Promise<'in' | 'refused'> {
    const token = sign({ ...good(), ...claims })
    const before = log.lines.length
    const outcome = await tokenAuthenticator.connect(token).catch((error: unknown) => error)
    if (!(outcome instanceof Error)) return 'in'
    expect(RpcError.is(outcome) && outcome.code).to.equal('invalid_token')
    expect(log.lines.slice(before).map(({ message }) => message)).to.deep.equal(['a token was refused'])
    return 'refused'
  }

  for (const [claim, allowed] of Object.entries(ALLOWED)) {
    it(`refuse it for a \`${claim}\` of another type`, async () => {
      for (const value of VALUES) {
        const expected = allowed(value) ? 'in' : 'refused'
        expect(await judged({ [claim]: value }), JSON.stringify(value)).to.equal(expected)
      }
    })
  }

  for (const [claim, allowed] of Object.entries(ALLOWED_INSIDE)) {
    it(`refuse it for a \`${claim}\` of a channel of another type`, async () => {
      const isOfMessages = ['publish', 'echo', 'store'].includes(claim)
      for (const value of VALUES) {
        const rule = isOfMessages ? { messages: { a: { [claim]: value } } } : { [claim]: value }
        const expected = allowed(value) ? 'in' : 'refused'
        expect(await judged({ channels: { c: rule } }), JSON.stringify(value)).to.equal(expected)
      }
    })
  }

  it('refuse it for a `connectionId` that is not the socket’s own text', async () => {
    const { socket } = makeSocket()
    for (const connectionId of [...VALUES, [socket.sid]]) {
      const token = sign({ ...good(), scope: 'subscribe', connectionId })
      const error = await rejection(tokenAuthenticator.subscribe(socket, 'c', token))
      expect(error.code, JSON.stringify(connectionId)).to.equal('invalid_token')
    }
  })
})
