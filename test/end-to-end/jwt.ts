/** Tokens read and forged by hand, as an attacker would. */
import { createHmac } from 'node:crypto'

export interface Claims {
  readonly jti?: string
  readonly iat?: number
  readonly exp?: number
  readonly aud?: string
}

/** What a token says, unverified. */
export function readToken(token: string): {
  readonly header: { readonly alg: string; readonly kid: string }
  readonly claims: Claims
} {
  const [header = '', claims = ''] = token.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  return { header: read(header), claims: read(claims) }
}

/** Signs with HS256 if there is a secret, else leaves the signature empty. */
export function forgeToken(header: object, claims: object, secret?: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const text = `${encode(header)}.${encode(claims)}`
  const signature = secret === undefined ? '' : createHmac('sha256', secret).update(text).digest('base64url')
  return `${text}.${signature}`
}
