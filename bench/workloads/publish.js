import { Load } from '../loader/load.js'
import { openClients } from './open-clients.js'
import { payloadJson, payloadText } from './payload.js'

/** Clients publish, each on a channel of its own, and wait for the receipt. Nobody is subscribed. @param {import('./open-clients.js').Setup} setup */
export async function createLoad(setup) {
  const clients = await openClients(setup, setup.connections)
  const text = payloadText(setup.payload)
  const operations = clients.map((client, index) => publishing(client, { channel: `kept-${index}`, text }))
  return new Load({ operations, depth: setup.depth })
}

/** @returns {import('../loader/load.js').Operation} */
function publishing(client, { channel, text }) {
  let last = 0
  let lastId = ''
  return (done, step) => {
    client.call('_publish', `{"channel":"${channel}","data":${payloadJson(++last, text)}}`, ({ id }) => {
      if (!(id > lastId)) throw new Error(`wrong: ${id} came after ${lastId}`)
      lastId = id
      step()
      done()
    })
  }
}
