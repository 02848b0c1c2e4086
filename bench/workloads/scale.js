import { Fanout } from './fanout.js'

/** @type {Fanout | undefined} */
let fanout

/** Subscribers that do nothing, and more of them with each call; one publication reaches them all. @param {import('./open-clients.js').Setup} setup */
export async function createLoad(setup) {
  fanout ??= new Fanout(setup)
  await fanout.open(setup, setup.connections)
  return fanout.load()
}
