import { badOption } from '@token-socket/protocol'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { boundedDownload } from './bounded-download.js'

/** Public keys as JWKS. */
export interface KeySet {
  readonly keys: readonly object[]
}

/** The issuer of tokens, and their audience. */
export interface TokenOptions {
  /** The `iss` of the tokens: the provider's issuer, letter by letter. */
  readonly issuer: string
  /** The `aud` of the tokens: this application's id at the provider, or several. */
  readonly audience: string | readonly string[]
  /** The address of the provider's public keys (`jwks_uri`), or the keys. */
  readonly jwks: string | URL | KeySet
  /** The accepted signature algorithms. @default RS*, PS*, ES*, EdDSA and Ed25519 */
  readonly algorithms?: readonly string[] | undefined
  /** Milliseconds that reading the keys may take. @default 5000 */
  readonly jwksTimeout?: number | undefined
}

/** The claims of a token: the named ones are checked, others have any shape. */
export interface TokenClaimSet {
  readonly iss: string
  readonly iat: number
  readonly jti: string
  readonly [claim: string]: unknown
}

/** Further requirements of a kind of token. */
export interface TokenKind {
  /** The accepted types in its header. */
  readonly types: readonly string[]
  /** Whether the header has to have a type. */
  readonly needsType: boolean
  /** Required claims, in addition to `iss`, `aud`, `iat` and `jti`. */
  readonly claims: readonly string[]
  /** The age of a token in milliseconds, at most. */
  readonly age: number
}

/**
 * The reason of a refused token. Its text is sent to the provider, and contains nothing of the
 * token.
 */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  /**
   * The wrong part: a claim or a part of the header; `key`, `signature`, or `token` for all of it.
   */
  readonly part: string

  constructor(part: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.part = part
  }
}

const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ')

/** UTF-16 code units of a token, at most. */
const LENGTH = 16 * 1024

/** Seconds that clocks may differ by. */
const LEEWAY = 30

/** Tokens that are verified at once. All of them may wait for the keys. */
const AT_ONCE = 100

/** Bytes of a key set, and the milliseconds of the pause after it could not be read. */
const BOUNDS = { bytes: 256 * 1024, pause: 5000 }

/** Milliseconds for which keys are cached, and between two requests for an unknown key. */
const KEPT = { cacheMaxAge: 10 * 60 * 1000, cooldownDuration: 30_000 }

/** Verifies tokens of one provider. */
export class TokenVerifier {
  readonly #options: TokenOptions
  readonly #kind: TokenKind
  readonly #keys: JWTVerifyGetKey
  #running = 0

  /** @throws RpcError `bad_option` */
  constructor(options: TokenOptions, kind: TokenKind) {
    checkOptions(options)
    this.#options = options
    this.#kind = kind
    this.#keys = keysOf(options)
  }

  /**
   * @throws TokenError if the token is not valid
   * @throws Error if the keys cannot be read, or too many tokens wait for them: the token may be
   *   valid later
   */
  async verify(token: string): Promise<TokenClaimSet> {
    if (token.length > LENGTH) throw new TokenError('token', 'the token is too long')
    if (this.#running >= AT_ONCE) throw new Error('too many tokens are being verified')
    this.#running += 1
    try {
      return await this.#verify(token)
    } finally {
      this.#running -= 1
    }
  }

  async #verify(token: string): Promise<TokenClaimSet> {
    const { issuer, audience, algorithms = ALGORITHMS } = this.#options
    const { types, needsType, claims, age } = this.#kind
    const { payload, protectedHeader } = await jwtVerify(token, this.#keys, {
      issuer,
      audience: [audience].flat() as string[],
      algorithms: [...algorithms],
      requiredClaims: ['jti', ...claims],
      maxTokenAge: age / 1000,
      clockTolerance: LEEWAY,
    }).catch((cause) => {
      throw asTokenError(cause)
    })
    const { typ }: { typ?: unknown } = protectedHeader
    const type = String(typ)
      .toLowerCase()
      .replace(/^application\//, '')
    const isRight = typ === undefined ? !needsType : typeof typ === 'string' && types.includes(type)
    if (!isRight) throw new TokenError('typ', 'the token has another type')
    return withId(payload)
  }
}

function withId(payload: JWTPayload): TokenClaimSet {
  if (typeof payload.jti !== 'string' || payload.jti === '')
    throw new TokenError('jti', 'jti has to be a text')
  return payload as TokenClaimSet
}

function keysOf({ jwks, jwksTimeout = 5000 }: TokenOptions): JWTVerifyGetKey {
  if (typeof jwks === 'object' && 'keys' in jwks) return localKeys(jwks)
  const url = URL.canParse(String(jwks)) ? new URL(String(jwks)) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) throw badOption('jwks', 'an http(s) URL, or a key set')
  return createRemoteJWKSet(url, {
    ...KEPT,
    timeoutDuration: jwksTimeout,
    [customFetch]: boundedDownload(BOUNDS),
  })
}

function localKeys(jwks: KeySet): JWTVerifyGetKey {
  try {
    return createLocalJWKSet(jwks as JSONWebKeySet)
  } catch {
    throw badOption('jwks', 'an http(s) URL, or a key set')
  }
}

function checkOptions(options: TokenOptions): void {
  const { issuer, audience, algorithms = ALGORITHMS, jwks, jwksTimeout } = options
  if (!isText(issuer)) throw badOption('issuer', 'a text that is not empty')
  const audiences = [audience].flat()
  if (audiences.length === 0 || !audiences.every(isText)) throw badOption('audience', 'a text, or several')
  // A key set contains public keys: used as a secret, anyone could sign with one.
  const known = Array.isArray(algorithms) && algorithms.every((name) => ALGORITHMS.includes(name))
  if (!known || algorithms.length === 0) throw badOption('algorithms', `some of ${ALGORITHMS.join(', ')}`)
  if (jwks === null || jwks === undefined) throw badOption('jwks', 'an http(s) URL, or a key set')
  if (jwksTimeout !== undefined && !(Number.isInteger(jwksTimeout) && jwksTimeout > 0))
    throw badOption('jwksTimeout', 'a whole number of milliseconds above 0')
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

const TEXTS: ReadonlyMap<string, string> = new Map([
  ['iss', 'the token is of another issuer'],
  ['aud', 'the token is for another audience'],
  ['exp', 'the token is over'],
  ['iat', 'the token is too old, or of the future'],
])

/** Codes of failures that are not about the token. */
const OWN_FAILURES = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID', 'ERR_JWKS_TIMEOUT'])

/**
 * Returns jose's error about a token with a text that contains nothing of it; other failures as
 * they are.
 */
function asTokenError(cause: unknown): unknown {
  if (!(cause instanceof errors.JOSEError) || OWN_FAILURES.has(cause.code)) return cause
  if (cause instanceof errors.JWTClaimValidationFailed || cause instanceof errors.JWTExpired) {
    const { claim, reason } = cause
    const text = reason === 'check_failed' ? TEXTS.get(claim) : undefined
    return new TokenError(claim, text ?? `${claim} is missing or wrong`, cause)
  }
  if (/^ERR_JWKS/.test(cause.code))
    return new TokenError('key', 'the key set has no key for the token', cause)
  if (cause instanceof errors.JWSSignatureVerificationFailed)
    return new TokenError('signature', 'the signature is wrong', cause)
  if (cause instanceof errors.JOSEAlgNotAllowed)
    return new TokenError('alg', 'the algorithm is not let in', cause)
  return new TokenError('token', 'the token cannot be read', cause)
}
