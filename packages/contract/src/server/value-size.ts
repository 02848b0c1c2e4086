import { badOption } from '@token-socket/protocol'
import type { Validation } from '../validation.js'

/** How many parts a value may have before a schema checks it: 10,000. */
export const MAX_PARTS = 10_000

/**
 * Refuses a value with too many parts: items of lists and fields of objects, at every depth. A
 * schema library takes 4 to 40 microseconds for each part that it refuses. A list of 250,000 would
 * block the event loop for seconds. The check takes time in proportion to the limit, not to the
 * value.
 * @returns the issue; `undefined` if there is none
 */
export function refuseParts(value: unknown, maxParts: number): Validation | undefined {
  if (!hasMore(value, maxParts)) return undefined
  return { issues: [{ path: [], message: `must have at most ${maxParts} parts` }] }
}

/** @throws RpcError `bad_option` */
export function checkMaxParts(maxParts: unknown): void {
  if (typeof maxParts !== 'number' || !(maxParts >= 1)) throw badOption('maxParts', 'a number of at least 1')
}

function hasMore(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (limit === Number.POSITIVE_INFINITY) return false
  const waiting: object[] = [value]
  let left = limit
  for (let one = waiting.pop(); one; one = waiting.pop()) {
    const items: readonly unknown[] = Array.isArray(one) ? one : fieldsOf(one, left)
    left -= items.length
    if (left < 0) return true
    for (const item of items) if (typeof item === 'object' && item !== null) waiting.push(item)
  }
  return false
}

/** The fields of an object, one more than the limit at most. */
function fieldsOf(value: object, limit: number): unknown[] {
  const fields: unknown[] = []
  for (const key in value) {
    fields.push((value as Readonly<Record<string, unknown>>)[key])
    if (fields.length > limit) break
  }
  return fields
}
