import { limitError, NAME_LIMITS, RpcError } from '@token-socket/protocol'

/**
 * Checks a name that the application gives.
 * @throws RpcError `bad_message`, `too_long`
 */
export function checkName(field: 'channel' | 'event' | 'key' | 'name', name: string): void {
  if (typeof name !== 'string' || name === '') {
    throw new RpcError('bad_message', `Invalid message: ${field} has to be a string that is not empty`, {
      field,
    })
  }
  if (name.length > NAME_LIMITS[field]) throw limitError('too_long', { field, limit: NAME_LIMITS[field] })
}
