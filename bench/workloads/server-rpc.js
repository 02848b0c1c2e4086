import { Load } from '../loader/load.js'
import { openClients } from './open-clients.js'
import { check, payloadJson, payloadText } from './payload.js'

/** The loader's part: clients that answer. @param {import('./open-clients.js').Setup} setup */
export async function createLoad(setup) {
  const text = payloadText(setup.payload)
  for (const client of await openClients(setup, setup.connections)) {
    let last = 0
    client.oncall = (data) => {
      last += 1
      check(data, last, text)
      return payloadJson(data.n, text)
    }
  }
}

/**
 * The server's part: it calls its clients, or those of another node.
 * @param {import('../peers/peer.js').Peer} peer
 * @param {{ connections: number, depth: number, payload: number, sids?: readonly string[] }} setup
 */
export function createServerLoad(peer, { connections, depth, payload, sids }) {
  const callers = sids ? peer.remoteCallers(sids) : peer.callers()
  if (callers.length !== connections) throw new Error(`the server knows ${callers.length} clients`)
  const text = payloadText(payload)
  return new Load({ operations: callers.map((call) => calling(call, text)), depth })
}

/** @returns {import('../loader/load.js').Operation} */
function calling(call, text) {
  let last = 0
  return (done, step) => {
    const n = ++last
    call({ n, text }, (data) => {
      check(data, n, text)
      step()
      done()
    })
  }
}
