import { RpcError } from '@token-socket/protocol'
import type { OrderTarget } from '../authentication/authorization-order.js'
import { checkText, type OneOf, readSelector } from './selectors.js'

/**
 * Selects the sockets whose authorisation changes, on all nodes: one socket, all of a user, or all
 * that one session signed in (`req.sessionID`).
 */
export type AuthorizationSelector = OneOf<{
  readonly sid: string
  readonly uid: string
  readonly session: string
}>

/**
 * Selects what is revoked. It can also be one token, by its `jti`, or everything issued before a
 * moment (a date, or milliseconds since 1970).
 */
export type RevocationSelector = OneOf<{
  readonly sid: string
  readonly uid: string
  readonly session: string
  readonly jti: string
  readonly issuedBefore: Date | number
}>

const SOCKETS: readonly string[] = ['sid', 'uid', 'session']

const REVOKED: readonly string[] = [...SOCKETS, 'jti', 'issuedBefore']

/** @throws RpcError `bad_message` with the field, `too_large` */
export function readTarget(who: unknown): OrderTarget {
  const [name] = fieldOf(who, SOCKETS)
  return { [name]: readSelector(who)[name as 'sid'] } as OrderTarget
}

/** @throws RpcError `bad_message` with the field, `too_large` */
export function readRevoked(who: unknown): OrderTarget {
  const [name, value] = fieldOf(who, REVOKED)
  if (name === 'issuedBefore') return { issuedBefore: momentOf(value) }
  if (name !== 'jti') return readTarget(who)
  checkText('jti', value)
  if (value.length > LONGEST_ID) throw bad('jti', `jti has to have ${LONGEST_ID} characters or fewer`)
  return { jti: value }
}

/** UTF-16 code units of a token's id: as long as a token may be. */
const LONGEST_ID = 7900

function fieldOf(who: unknown, fields: readonly string[]): readonly [string, unknown] {
  const [entry, another] = typeof who === 'object' && who !== null ? Object.entries(who) : []
  const has = `selector has to have one of ${fields.join(', ')}`
  if (!entry) throw bad('selector', has)
  const wrong = fields.includes(entry[0]) ? another : entry
  if (wrong) throw bad(wrong[0], `${has}, and nothing else`)
  return entry
}

/**
 * Returns the moment in milliseconds. A future moment counts as now, so that tokens issued from now
 * on stay valid.
 */
function momentOf(value: unknown): number {
  const moment = value instanceof Date ? value.getTime() : value
  if (typeof moment === 'number' && Number.isFinite(moment)) return Math.min(moment, Date.now())
  throw bad('issuedBefore', 'issuedBefore has to be a date, or milliseconds since 1970')
}

function bad(field: string, text: string): RpcError {
  return new RpcError('bad_message', `Invalid message: ${text}`, { field })
}
