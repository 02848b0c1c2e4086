import { badField, badOption, errorFrom, RpcError } from '@token-socket/protocol'
import type { ChannelDefinition } from '../channel-definitions.js'
import { checkGiven } from '../given-contract.js'

/** @throws RpcError `bad_message` unless it is a function; not in builds for production */
export function checkListener(listener: unknown): void {
  try {
    if (process.env.NODE_ENV !== 'production' && typeof listener !== 'function')
      throw errorFrom(badField('listener', 'function').error)
  } catch (error) {
    if (RpcError.is(error)) throw error
  }
}

/** @throws RpcError `bad_option` for anything but a contract; not in builds for production */
export function checkArgument(contract: unknown): void {
  try {
    if (process.env.NODE_ENV !== 'production') checkGiven(contract)
  } catch (error) {
    if (RpcError.is(error)) throw error
  }
}

/**
 * @throws RpcError `bad_option`, not in builds for production: an event that the contract does not
 *   have is never received
 */
export function checkEvent(event: string, definition: ChannelDefinition): void {
  try {
    if (process.env.NODE_ENV !== 'production' && !Object.hasOwn(definition.events, event))
      throw badOption('event', `one of ${Object.keys(definition.events).join(', ')}`)
  } catch (error) {
    if (RpcError.is(error)) throw error
  }
}
