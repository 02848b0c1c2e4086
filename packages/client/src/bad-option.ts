import { RpcError } from '@token-socket/protocol'

/** The error for an option that is wrong. @param what it has to be, to go after "has to be" */
export function badOption(option: string, what: string): RpcError {
  return new RpcError('bad_option', `Invalid option: ${option} has to be ${what}`, { field: option })
}
