// The process that makes the load: the clients of one peer in one workload.

import { answerParent, mark } from '../control/answer-parent.js'
import { wireOf } from '../wires/wire.js'

let createLoad
/** @type {object} */
let setup
/** @type {import('./load.js').Load} */
let load

answerParent({
  mark,
  /** Connects. */
  async open({ peer, sockjs, file, ...rest }) {
    ;({ createLoad } = await import(`../workloads/${file}`))
    setup = { ...rest, wire: wireOf(peer, sockjs) }
    load = await createLoad(setup)
  },
  /** Opens more connections. */
  async more({ connections }) {
    load = await createLoad({ ...setup, connections })
  },
  /** What a workload of several parts has in between. */
  step: ({ name }) => load[name](),
  saturate: (how) => load.saturate(how),
  pace: (how) => load.pace(how),
})
