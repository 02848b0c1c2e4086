import { Fanout } from './fanout.js'

/**
 * Subscribers, of which one may stop reading before the first publication.
 * @param {import('./open-clients.js').Setup & { stalls: boolean }} setup
 */
export async function createLoad(setup) {
  const fanout = new Fanout(setup)
  await fanout.open(setup, setup.connections)
  if (setup.stalls) fanout.stall()
  return fanout.load()
}
