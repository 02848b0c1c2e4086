import { nearestName, RpcError } from '@token-socket/protocol'

/**
 * Refuses a listener of an unknown event: it would never be called.
 * @param habits the names that other libraries have for these events
 * @throws RpcError `bad_message` with the known events, and the one that was most likely meant
 */
export function checkEventName(
  event: unknown,
  names: readonly string[],
  habits: ReadonlyMap<string, string> = new Map(),
): void {
  if (names.includes(event as string)) return
  const wrong = typeof event === 'string' ? event.slice(0, LENGTH) : String(typeof event)
  const meant = habits.get(wrong) ?? nearestName(wrong, names)
  const hint = meant === undefined ? '' : `, did you mean "${meant}"?`
  const text = `Invalid message: there is no event "${wrong}"${hint || '.'} There are: ${names.join(', ')}`
  throw new RpcError('bad_message', text, { field: 'event' })
}

/** UTF-16 code units of a wrong name that its error shows. */
const LENGTH = 64
