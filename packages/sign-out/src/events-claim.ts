import { type TokenClaimSet, TokenError } from './token-verifier.js'

/**
 * Returns the events of a security event token, by their URIs.
 * @throws TokenError if there is none, or one that is no object
 */
export function eventsOf({ events }: TokenClaimSet): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const entries = isRecord(events) ? Object.entries(events) : []
  if (entries.length === 0 || !entries.every(([, event]) => isRecord(event)))
    throw new TokenError('events', 'events is missing or wrong')
  return new Map(entries as [string, Readonly<Record<string, unknown>>][])
}

/** Returns whether a value is an object with fields. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
