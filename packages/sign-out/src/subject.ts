import { isRecord } from './events-claim.js'
import { type TokenClaimSet, TokenError } from './token-verifier.js'

/** A subject identifier (RFC 9493), or a complex subject of the Shared Signals Framework. */
export interface Subject {
  /** Such as `iss_sub`, `opaque`, `email`, `aliases`, or `complex`. */
  readonly format: string
  readonly [member: string]: unknown
}

/** The depth to which `aliases` and complex subjects are followed. */
const DEPTH = 3

/**
 * Returns the subject of an event: `sub_id` of the token, or the event's own `subject` as in older
 * drafts.
 * @throws TokenError if there is none
 */
export function subjectOf(claims: TokenClaimSet, event: Readonly<Record<string, unknown>>): Subject {
  const subject = claims.sub_id ?? event.subject
  if (!isRecord(subject)) throw new TokenError('sub_id', 'sub_id has to be there')
  // In older drafts, a subject with members has no format.
  const format = subject.format ?? subject.subject_type ?? 'complex'
  if (typeof format !== 'string') throw new TokenError('sub_id', 'the format has to be a text')
  return { ...subject, format: format === 'iss-sub' ? 'iss_sub' : format }
}

/**
 * Returns the user's id in a subject, if it has one. An address is none: the application has to map
 * it.
 */
export function userOfSubject(subject: unknown, issuer: string, depth = DEPTH): string | undefined {
  if (!isRecord(subject) || depth === 0) return undefined
  const { format, iss, sub, id, user, identifiers } = subject
  if (format === 'iss_sub' || format === 'iss-sub') return iss === issuer ? textOf(sub) : undefined
  if (format === 'opaque') return textOf(id)
  if (format === 'complex' || isRecord(user)) return userOfSubject(user, issuer, depth - 1)
  if (format !== 'aliases' || !Array.isArray(identifiers)) return undefined
  for (const one of identifiers.slice(0, 20)) {
    const uid = userOfSubject(one, issuer, depth - 1)
    if (uid !== undefined) return uid
  }
  return undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
