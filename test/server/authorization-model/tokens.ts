/** The tokens of the model: tickets, and what an application signs. */
import { createSecretKey } from 'node:crypto'
import { encodeData } from '@token-socket/protocol'
import jwt from 'jsonwebtoken'
import { Tokens } from '#server/authentication/tokens.js'
import { hashSession, subjectsOf } from '#server/claims/subjects.js'
import type { Tickets } from '#server/engine/engine.js'
import { authOf, type Rights } from './rights.js'

const KEY = 'thirty-two bytes of the model..!'

/** The server's part. */
export const TOKENS = new Tokens({
  keys: new Map([['k', { algorithm: 'HS256', key: KEY }]]),
  audience: 'model',
  ttl: 3_600_000,
})

/** A token, as its holder and the model know it. */
export interface ModelToken {
  readonly text: string
  /** What it gives; `undefined` for a channel's own token. */
  readonly rights?: Rights
  /** Whether it works once. */
  readonly isSingle: boolean
  readonly isTicket: boolean
  readonly jti?: string
  /** The session's id, before it is hashed. */
  readonly session?: string
  /** Milliseconds since 1970. */
  readonly issuedAt: number
  /** How often it was brought to the server. */
  tries: number
  /** How often it has worked. */
  uses: number
}

const SIGNING = createSecretKey(Buffer.from(KEY))

function sign(claims: object): string {
  const exp = Math.floor(Date.now() / 1000) + 3600
  return jwt.sign({ exp, ...claims }, SIGNING, { algorithm: 'HS256', keyid: 'k' })
}

let lastJti = 0

function nextJti(): string {
  lastJti += 1
  return `token ${lastJti}`
}

/** Applications sign with whole seconds. */
function issuedNow(): { readonly iat: number; readonly issuedAt: number } {
  const iat = Math.floor(Date.now() / 1000)
  return { iat, issuedAt: iat * 1000 }
}

/** What the application signs for a user. */
export function signConnect(rights: Rights, isSingle: boolean): ModelToken {
  const { iat, issuedAt } = issuedNow()
  const jti = isSingle ? { jti: nextJti() } : {}
  const text = sign({ scope: 'connect', iat, ...jti, ...authOf(rights) })
  return { text, rights, isSingle, isTicket: false, ...jti, issuedAt, tries: 0, uses: 0 }
}

/** A token for one channel of one socket. */
export function signChannel(sid: string, channel: string): ModelToken {
  const { iat, issuedAt } = issuedNow()
  const jti = nextJti()
  const channels = { [channel]: { subscribe: true } }
  const text = sign({ scope: 'subscribe', connectionId: sid, iat, jti, channels })
  return { text, isSingle: true, isTicket: false, jti, issuedAt, tries: 0, uses: 0 }
}

/** What the token endpoint issues. */
export function issueTicket(rights: Rights, session: string, tickets: Tickets): ModelToken {
  const { token: text, id } = TOKENS.issue()
  const issuedAt = Date.now()
  const hash = hashSession(session)
  const data = { auth: authOf(rights), hasClaims: true, ips: [], session: hash, issuedAt }
  const owners = subjectsOf({ uid: rights.uid, session: hash }).map((name) => ({ name, limit: 1000 }))
  // The memory keeps it before this returns.
  void tickets.put({ id, json: encodeData(data), ttl: 3_600_000, owners })
  return { text, rights, isSingle: true, isTicket: true, jti: id, session, issuedAt, tries: 0, uses: 0 }
}
