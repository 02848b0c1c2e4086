import { openClients } from './open-clients.js'

/** Connections that do nothing. @param {import('./open-clients.js').Setup} setup */
export async function createLoad(setup) {
  await openClients(setup, setup.connections)
}
