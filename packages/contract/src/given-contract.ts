import { badOption } from '@token-socket/protocol'

/**
 * @throws RpcError `bad_option` for a contract that `defineContract` did not create, or did not
 *   check
 */
export function checkGiven(contract: unknown): void {
  const definition: unknown = Object(contract).definition
  if (typeof definition !== 'object' || definition === null)
    throw badOption('contract', 'one that defineContract made')
}
