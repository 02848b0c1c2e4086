import { AuthorizationLog, type AuthorizationLogOwner } from '../authentication/authorization-log.js'
import type { Engine } from '../engine/engine.js'
import { NodeOrders, type NodeOrdersOwner } from './node-orders.js'

/** Dependencies of {@link makeAuthorizations}. */
export interface AuthorizationParts
  extends NodeOrdersOwner,
    Pick<AuthorizationLogOwner, 'revocationTtl' | 'revocationStaleness' | 'closeWhenStale'> {
  readonly engine: Engine
  readonly limits: { readonly revocations: number }
  readonly revocations: NodeOrdersOwner['revocations'] & { readonly ticketTtl: number }
}

/**
 * Creates the log of a server's authorisation orders, and applies the orders to the server's
 * sockets.
 */
export function makeAuthorizations(parts: AuthorizationParts): AuthorizationLog {
  const orders = new NodeOrders(parts)
  return new AuthorizationLog({
    ...parts,
    ticketTtl: parts.revocations.ticketTtl,
    apply: (...order) => orders.apply(...order),
    closeAll: () => orders.closeAll(),
  })
}
