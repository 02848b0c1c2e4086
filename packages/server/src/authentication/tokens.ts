import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  randomUUID,
} from 'node:crypto'
import { NAME_LIMITS, RpcError } from '@token-socket/protocol'
import jwt from 'jsonwebtoken'
import type { Logger } from '../runtime/logger.js'

/** Algorithms of a key. `none` is not allowed, and the algorithm is never taken from a token. */
export const ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const

/** One key with its only algorithm. */
export interface TokenKey {
  /** The only algorithm that this key is used with. */
  readonly algorithm: (typeof ALGORITHMS)[number]
  /** The key that verifies tokens: the secret (`HS…`), or the public key as PEM. */
  readonly key: string | Buffer
  /**
   * The private key as PEM, which issues tokens; not needed for `HS…`, or on keys that only verify.
   */
  readonly privateKey?: string | Buffer | undefined
}

/** The claims of a token that the application signed, and its purpose. */
export interface SignedClaims extends Readonly<Record<string, unknown>> {
  /** `connect` opens a socket; `subscribe` adds rights to an open socket. */
  readonly scope: 'connect' | 'subscribe'
  /** Seconds since 1970. */
  readonly exp: number
  readonly jti?: string
  /** Whether it works only once, also without a `jti`. @default false */
  readonly singleUse?: boolean
  /** Seconds since 1970. */
  readonly iat?: number
}

/** The contents of a valid token: a ticket, or claims. */
export type TokenContents =
  | { readonly ticket: string; readonly claims?: never }
  | { readonly claims: SignedClaims; readonly ticket?: never }

/** Settings of {@link Tokens}. */
export interface TokensOptions {
  /**
   * Keys by `kid`. The first one that can sign issues new tokens; the others still verify
   * (rotation).
   */
  readonly keys: ReadonlyMap<string, TokenKey>
  /** The `aud` of the tokens. */
  readonly audience: string
  /** The required `iss` of claims. @default any, or none */
  readonly issuer?: string | undefined
  /** Milliseconds for which a token is valid. */
  readonly ttl: number
}

/** Seconds that two nodes' clocks may differ. */
const CLOCK_LEEWAY = 5

/**
 * Issues and verifies socket tokens: JWTs with `jti`, `iat`, `exp` and `aud`, and nothing of the
 * session. It also verifies tokens that the application signed with the same keys. Those have a
 * `scope`, so that the two kinds cannot be confused.
 */
export class Tokens {
  readonly #options: TokensOptions
  readonly #keys: ReadonlyMap<string, ParsedKey>
  readonly #signer: Signer

  /** @throws RpcError `bad_option` if no key can sign, or a key's algorithm is unknown, or a key does not fit its own */
  constructor(options: TokensOptions) {
    this.#options = options
    this.#keys = new Map([...options.keys].map(([kid, key]) => [kid, parseKey(kid, key)]))
    const signers = [...this.#keys].map(
      ([kid, { algorithm, signing }]) => signing && { kid, algorithm, key: signing },
    )
    const signer = signers.find((found) => found !== undefined)
    if (!signer) throw badKeys('no key can sign')
    this.#signer = signer
    this.#prove()
  }

  /** Returns a new token, and the id of its ticket. */
  issue(): { readonly token: string; readonly id: string } {
    const { kid: keyid, algorithm, key } = this.#signer
    const id = randomUUID()
    const token = jwt.sign({}, key, {
      algorithm,
      keyid,
      jwtid: id,
      audience: this.#options.audience,
      expiresIn: Math.ceil(this.#options.ttl / 1000),
    })
    return { token, id }
  }

  /**
   * Returns secrets for another purpose, one for each key that can sign. The first belongs to the
   * key that signs tokens.
   */
  secrets(purpose: string): Buffer[] {
    const { kid } = this.#signer
    const [first, others] = [[this.#signer.key], [...this.#keys].filter(([own]) => own !== kid)]
    const keys = [...first, ...others.flatMap(([, { signing }]) => signing ?? [])]
    return keys.map((key) => Buffer.from(hkdfSync('sha256', bytesOf(key), '', `token-socket ${purpose}`, 32)))
  }

  /** Returns the contents of a token. @throws Error if it is not valid; the text is only logged */
  verify(token: string): TokenContents {
    if (token.length > NAME_LIMITS.token) throw new Error('the token is too long')
    const decoded = decode(token)
    const key = decoded && this.#keyOf(decoded)
    if (!key) throw new Error('the token is malformed, or names no key of this server')
    // RFC 7515, section 4.1.11: an extension that is critical and not understood makes a token
    // invalid.
    if (decoded.header.crit !== undefined) throw new Error('the token has extensions')
    const claims = jwt.verify(token, key.verifying, {
      algorithms: [key.algorithm],
      clockTolerance: CLOCK_LEEWAY,
    })
    // JSON can contain numbers that JavaScript reads as infinite: such a token would never expire.
    if (typeof claims !== 'object' || !Number.isFinite(claims.exp)) throw new Error('the token lacks exp')
    const isForUs = [claims.aud].flat().includes(this.#options.audience)
    if (claims.scope !== undefined) return { claims: this.#checkClaims(claims, isForUs) }
    if (!isForUs) throw new Error(`jwt audience invalid. expected: ${this.#options.audience}`)
    if (typeof claims.jti !== 'string' || claims.jti === '') throw new Error('the token lacks jti')
    return { ticket: claims.jti }
  }

  /** Returns the ticket that an unverified token names. Any client may have created the token. */
  peek(token: string): string | undefined {
    if (token.length > NAME_LIMITS.token) return undefined
    const { jti } = decode(token)?.payload ?? {}
    return typeof jti === 'string' ? jti : undefined
  }

  /** The application may leave the key's name out if there is only one key. */
  #keyOf({ header, payload }: DecodedToken): ParsedKey | undefined {
    if (header.kid !== undefined) return this.#keys.get(header.kid)
    const [only, ...others] = this.#keys.values()
    return payload.scope !== undefined && others.length === 0 ? only : undefined
  }

  #checkClaims(claims: jwt.JwtPayload, isForUs: boolean): SignedClaims {
    const { scope, aud, iss, jti, iat, singleUse } = claims
    const { issuer } = this.#options
    if (scope !== 'connect' && scope !== 'subscribe') throw new Error('the token has an unknown scope')
    if (aud !== undefined && !isForUs) throw new Error('the token is for another audience')
    if (issuer !== undefined && iss !== issuer) throw new Error('the token is of another issuer')
    // Ignoring a value of a wrong type would accept a token that its signer meant to restrict.
    if (iat !== undefined && typeof iat !== 'number') throw new Error('the token has a bad iat')
    if (singleUse !== undefined && typeof singleUse !== 'boolean')
      throw new Error('the token has a bad singleUse: it has to be true or false')
    // Such a token would outlast every order that revokes what was issued before.
    if (iat !== undefined && iat > Date.now() / 1000 + CLOCK_LEEWAY)
      throw new Error('the token is of the future (iat)')
    if (jti !== undefined && (typeof jti !== 'string' || jti === ''))
      throw new Error('the token has a bad jti')
    return claims as unknown as SignedClaims
  }

  #prove(): void {
    try {
      this.verify(this.issue().token)
    } catch (cause) {
      throw badKeys((cause as Error).message, cause)
    }
  }
}

/** The contents of an unverified token. */
interface DecodedToken {
  readonly header: jwt.JwtHeader
  readonly payload: jwt.JwtPayload
}

/**
 * Reads a token without checking its signature. Returns `undefined` if it is none; `jwt.decode`
 * throws for some texts.
 */
function decode(token: string): DecodedToken | undefined {
  try {
    const { header, payload } = jwt.decode(token, { complete: true }) ?? {}
    return isRecord(header) && isRecord(payload) ? { header, payload } : undefined
  } catch {
    return undefined
  }
}

function isRecord<T>(value: T): value is Extract<T, object> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * A key, parsed once. jsonwebtoken would parse it for each token, which costs more than everything
 * else.
 */
interface ParsedKey {
  readonly algorithm: TokenKey['algorithm']
  readonly verifying: KeyObject
  /** Not set on a key that only verifies. */
  readonly signing: KeyObject | undefined
}

interface Signer {
  readonly kid: string
  readonly algorithm: TokenKey['algorithm']
  readonly key: KeyObject
}

function parseKey(kid: string, { algorithm, key, privateKey }: TokenKey): ParsedKey {
  // Without type checks, `none` with an empty key would make every unsigned token valid.
  if (!ALGORITHMS.includes(algorithm)) throw badKeys(`${kid} has an unknown algorithm`)
  try {
    if (!algorithm.startsWith('HS')) {
      const signing = privateKey === undefined ? undefined : createPrivateKey(privateKey)
      return { algorithm, verifying: createPublicKey(key), signing }
    }
    const secret = createSecretKey(Buffer.from(key))
    if (secret.symmetricKeySize === 0) throw new Error('the secret is empty')
    // A public key is no secret: any client could sign with it.
    if (/^\s*-----BEGIN /.test(key.toString())) throw new Error('a secret must not be a PEM key')
    return { algorithm, verifying: secret, signing: secret }
  } catch (cause) {
    throw badKeys(`${kid}: ${(cause as Error).message}`, cause)
  }
}

function bytesOf(key: KeyObject): Buffer {
  return key.type === 'secret' ? key.export() : key.export({ type: 'pkcs8', format: 'der' })
}

function badKeys(why: string, cause?: unknown): RpcError {
  return new RpcError('bad_option', `keys: ${why}`, { field: 'keys' }, cause)
}

/** A key for HS256 has at least the length of its hash. Source: RFC 7518, section 3.2. */
const SECRET_BYTES = 32

/** Settings of {@link makeTokens}. */
export interface TokenSettings {
  readonly secret?: string | Buffer | undefined
  readonly keys?: Readonly<Record<string, TokenKey>> | undefined
  readonly audience: string
  readonly issuer?: string | undefined
  /** Milliseconds for which a token is valid. */
  readonly tokenTtl: number
  readonly logger: Pick<Logger, 'warn'>
}

/**
 * Creates the tokens of a server from its keys, its secret, or a random secret of this process. A
 * random secret causes a warning.
 */
export function makeTokens({ secret, keys, audience, issuer, tokenTtl: ttl, logger }: TokenSettings): Tokens {
  const make = (keys: ReadonlyMap<string, TokenKey>) => new Tokens({ keys, audience, issuer, ttl })
  if (keys) return make(new Map(Object.entries(keys)))
  const warn = (message: string) => logger.warn({ option: 'secret' }, message)
  if (secret === undefined) {
    warn('no secret is set: tokens are signed with a random one, for this process only')
    return make(secretKey(randomBytes(SECRET_BYTES)))
  }
  if (Buffer.byteLength(secret) < SECRET_BYTES)
    warn(`the secret is shorter than the ${SECRET_BYTES} bytes that HS256 wants`)
  return make(secretKey(secret))
}

/**
 * Returns a key table of one secret. Its `kid` is derived from the secret, so that nodes with the
 * same secret agree.
 */
export function secretKey(secret: string | Buffer): ReadonlyMap<string, TokenKey> {
  const kid = createHash('sha256').update('token-socket kid').update(secret).digest('base64url').slice(0, 8)
  return new Map([[kid, { algorithm: 'HS256', key: secret }]])
}
