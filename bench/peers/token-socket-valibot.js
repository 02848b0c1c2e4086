import * as v from 'valibot'
import { startContract } from './token-socket-contract.js'

/** `echo` as an operation of a contract, checked by Valibot. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  return startContract({ server, schema: v.object({ n: v.number(), text: v.string() }) })
}
