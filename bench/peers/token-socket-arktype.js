import { type } from 'arktype'
import { startContract } from './token-socket-contract.js'

/** `echo` as an operation of a contract, checked by ArkType. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  return startContract({ server, schema: type({ n: 'number', text: 'string' }) })
}
