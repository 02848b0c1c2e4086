import { badField, errorFrom, RpcError } from '@token-socket/protocol'
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

/** @throws RpcError `bad_option` for what is no contract; not in builds for production */
export function checkArgument(contract: unknown): void {
  try {
    if (process.env.NODE_ENV !== 'production') checkGiven(contract)
  } catch (error) {
    if (RpcError.is(error)) throw error
  }
}
