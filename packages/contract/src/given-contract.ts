import { badOption } from '@token-socket/protocol'

/** @throws RpcError `bad_option` for what `defineContract` did not make, or did not look at */
export function checkGiven(contract: unknown): void {
  const definition: unknown = Object(contract).definition
  if (typeof definition !== 'object' || definition === null)
    throw badOption('contract', 'one that defineContract made')
}
