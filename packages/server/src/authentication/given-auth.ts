import { RpcError } from '@token-socket/protocol'
import { describeGiven } from '../runtime/given-value.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { encodeTicket, NoObject, type TicketData } from './ticket-data.js'

/** The result of an option's function, and how it is kept. */
export interface GivenAuth {
  /** The option that the function is given as. */
  readonly option: 'authentication' | 'connectAuthentication'
  readonly log: Pick<ThrottledLog, 'write'>
  /** Bytes that it may have as JSON, with the data that is kept with it. */
  readonly limit: number
}

/**
 * Encodes the object that a function of the application returned, and the data that is kept with
 * it.
 * @returns the refusal for the client if it is no object as JSON, such as `new Boolean(false)`; the
 *   log has a line
 * @throws Error if it is too large, or no JSON
 */
export function encodeGiven(ticket: TicketData, given: GivenAuth): string | RpcError {
  try {
    return encodeTicket(ticket, given.limit)
  } catch (cause) {
    if (cause instanceof NoObject) return refuseGiven(ticket.auth, given)
    throw cause
  }
}

/** Logs that a function's result authenticates no user. @returns the refusal for the client */
export function refuseGiven(auth: unknown, { option, log }: Omit<GivenAuth, 'limit'>): RpcError {
  const type = describeGiven(auth)
  const isObject = typeof auth === 'object' && auth !== null
  const what = isObject ? `${type} that is no object as JSON` : type
  const refused = option === 'authentication' ? 'the token request' : 'the connection'
  const line = `${option} gave ${what}, so ${refused} is refused: return an object, true, or false`
  log.write(`${option} ${isObject ? 'object' : typeof auth}`, ['error', { option, type }, line])
  return new RpcError('forbidden')
}
