import { z } from 'zod'
import { startContract } from './token-socket-contract.js'

/** `echo` as an operation of a contract, checked by Zod. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  return startContract({ server, schema: z.object({ n: z.number(), text: z.string() }) })
}
