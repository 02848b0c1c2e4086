import { Load } from '../loader/load.js'
import { openClients } from './open-clients.js'
import { check, payloadJson, payloadText } from './payload.js'

/** Clients call the server. @param {import('./open-clients.js').Setup} setup */
export async function createLoad(setup) {
  const clients = await openClients(setup, setup.connections)
  const text = payloadText(setup.payload)
  return new Load({ operations: clients.map((client) => calling(client, text)), depth: setup.depth })
}

/** @returns {import('../loader/load.js').Operation} */
function calling(client, text) {
  let last = 0
  return (done, step) => {
    const n = ++last
    client.call('echo', payloadJson(n, text), (data) => {
      check(data, n, text)
      step()
      done()
    })
  }
}
