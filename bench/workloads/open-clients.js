import { Client } from '../loader/client.js'
import { TokenRequests } from '../loader/token-requests.js'

/** How many clients connect at once. */
const AT_ONCE = 20

/**
 * What the loader's part of a workload gets.
 * @typedef {object} Setup
 * @property {import('../wires/wire.js').Wire} wire
 * @property {number} port
 * @property {number} connections
 * @property {number} depth calls in flight on each connection
 * @property {number} payload bytes of JSON
 * @property {number} burst publications in one turn
 */

/**
 * Opens clients, each signed in with a token of its own where the peer has tokens.
 * @param {Pick<Setup, 'wire' | 'port'>} setup
 * @param {number} count
 * @returns {Promise<Client[]>} in no order
 */
export async function openClients({ wire, port }, count) {
  /** @type {Client[]} */
  const clients = []
  let left = count
  const openSome = async () => {
    const tokens = wire.tokenMethod && new TokenRequests(port, wire.tokenMethod)
    while (left > 0) {
      left -= 1
      clients.push(await Client.open(wire, { port, token: await tokens?.get() }))
    }
    tokens?.close()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, openSome))
  return clients
}
