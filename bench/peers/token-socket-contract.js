import { defineContract, procedure, type } from '@token-socket/contract'
import { implement } from '@token-socket/contract/server'
import { startTokenSocket } from './token-socket.js'

/** `echo` as an operation of a contract without checks. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  return startContract({ server, schema: type() })
}

/**
 * @param {object} what
 * @param {import('node:http').Server} what.server
 * @param {import('@token-socket/contract').Schema} what.schema of the call's argument and of its answer
 */
export function startContract({ server, schema }) {
  const contract = defineContract({ server: { echo: procedure({ input: schema, output: schema }) } })
  // As in production: what arrives is checked, what is sent is not.
  const socketController = implement(contract, { echo: (input) => input }, { checkSent: false })
  return startTokenSocket({ server, socketController })
}
