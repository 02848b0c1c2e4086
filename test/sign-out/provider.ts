/** An identity provider: it signs tokens, and serves its keys in good and bad ways. */
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

/** A pair of keys, and its name. */
interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

/** How a token differs from a good one. */
export interface TokenChanges {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  readonly key?: SigningKey
}

export const AUDIENCE = 'the-application'

const LOGOUT = 'http://schemas.openid.net/event/backchannel-logout'

export async function newKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  return { kid, alg, privateKey, publicKey }
}

export class Provider {
  readonly #http: Server
  #key: SigningKey
  #made = 0
  /** How often the keys were asked for. */
  asked = 0
  /** Answers for the keys in another way. @default the keys */
  answer: ((response: ServerResponse) => void) | undefined

  private constructor(key: SigningKey) {
    this.#key = key
    this.#http = createServer((_request, response) => {
      this.asked += 1
      if (this.answer) this.answer(response)
      else void this.keys().then((keys) => response.end(JSON.stringify(keys)))
    })
  }

  static async start(): Promise<Provider> {
    const provider = new Provider(await newKey('first'))
    await once(provider.#http.listen(0, '127.0.0.1'), 'listening')
    return provider
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  get options() {
    return { issuer: this.issuer, audience: AUDIENCE, jwks: `${this.issuer}/keys` }
  }

  get key(): SigningKey {
    return this.#key
  }

  async keys(): Promise<{ keys: object[] }> {
    const { kid, alg, publicKey } = this.#key
    return { keys: [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }] }
  }

  async rotate(): Promise<void> {
    this.#key = await newKey(`key ${++this.#made}`)
  }

  /** A good logout token of ann, but for the changes. A claim that is `undefined` is left out. */
  logoutToken(changes: TokenChanges = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    const claims = { sub: 'ann', exp: now + 120, events: { [LOGOUT]: {} }, ...changes.claims }
    return this.#sign({ ...changes, claims, header: { typ: 'logout+jwt', ...changes.header } })
  }

  /** A good security event token about ann, but for the changes. */
  securityEvent(type: string, { claims, header, ...changes }: TokenChanges = {}): Promise<string> {
    const subject = { format: 'iss_sub', iss: this.issuer, sub: 'ann' }
    const event = { event_timestamp: Math.floor(Date.now() / 1000) }
    return this.#sign({
      ...changes,
      claims: { sub_id: subject, events: { [type]: event }, ...claims },
      header: { typ: 'secevent+jwt', ...header },
    })
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }

  #sign({ claims, header, key = this.#key }: TokenChanges): Promise<string> {
    const iat = Math.floor(Date.now() / 1000)
    const base = { iss: this.issuer, aud: AUDIENCE, iat, jti: `token ${++this.#made}` }
    return new SignJWT(defined({ ...base, ...claims }) as JWTPayload)
      .setProtectedHeader(defined({ alg: key.alg, kid: key.kid, ...header }) as { alg: string })
      .sign(key.privateKey)
  }
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** A provider for the tests of this `describe`. @returns it, once they run */
export function useProvider(): () => Provider {
  let provider: Provider
  before(async () => {
    provider = await Provider.start()
  })
  after(() => provider.stop())
  return () => provider
}
