import { Fanout } from './fanout.js'

/**
 * As on one node, with the subscribers on all nodes alike. The client that has the server publish is on the first.
 * @param {import('./open-clients.js').Setup & { ports: readonly number[] }} setup
 */
export async function createLoad(setup) {
  const fanout = new Fanout(setup)
  const { ports, connections } = setup
  for (const port of ports) await fanout.open({ ...setup, port }, connections / ports.length)
  return fanout.load()
}
