/**
 * @typedef {object} Workload
 * @property {string} name
 * @property {string} file the loader's part, in this folder
 * @property {'operations' | 'memory' | 'scale' | 'stalled' | 'recovery' | 'reconnect'} measures
 * @property {'loader' | 'server'} driver which process starts the operations
 * @property {string} operation what is counted as one
 * @property {(options: import('../control/options.js').Options) => object} setup what differs from the options
 * @property {boolean} [sockjs] everybody speaks SockJS
 * @property {readonly string[]} [peers] instead of those of most: ours in several ways, or two nodes with a Redis
 * @property {boolean} [cluster] the server is two nodes, with a Redis
 * @property {boolean} [unpaced] latency is not taken
 * @property {(peer: string) => string} [ours] which of ours a peer is compared with. @default token-socket
 * @property {Readonly<Record<string, string>>} leftOut peers that do not do it, and why
 */

/** The peers of most workloads, in the order of a round: ours first. */
const common = [
  'token-socket',
  'token-socket-before',
  'ws',
  'socket.io',
  'rpc-websockets',
  'sockjs',
  'token-sockjs',
]

const noSignIn = {
  ws: 'it has no sign-in',
  sockjs: 'it has no sign-in',
  'rpc-websockets': 'it has no tokens: its login is a call like any other',
}

const noSockJS = {
  ws: 'it does not speak SockJS',
  'socket.io': 'it does not speak SockJS',
  'rpc-websockets': 'it does not speak SockJS',
}

/** @returns {Workload} */
function rpc(depth) {
  return {
    name: `rpc-${depth}`,
    file: 'rpc.js',
    measures: 'operations',
    driver: 'loader',
    operation: 'call',
    setup: (options) => ({ depth: options.depth ?? depth }),
    leftOut: {},
  }
}

/** @returns {Workload} */
function fanout(name, setup) {
  return { ...rpc(1), name, file: 'fanout.js', operation: 'publication', setup }
}

/** A plain controller beside the same function as an operation of a contract. @returns {Workload} */
function typed(depth) {
  return { ...rpc(depth), name: `typed-${depth}`, peers: contracts }
}

const contracts = [
  'token-socket',
  'token-socket-contract',
  'token-socket-zod',
  'token-socket-valibot',
  'token-socket-arktype',
]

const all = ({ subscribers }) => ({ connections: subscribers, burst: 1 })
const inBursts = ({ subscribers, burst }) => ({ connections: subscribers, burst })

const notCompared = {
  'rpc-websockets': 'not compared',
  sockjs: 'not compared',
  'token-sockjs': 'not compared',
}

/** Two nodes. What keeps publications is compared with what keeps them. */
const cluster = {
  cluster: true,
  peers: [
    'token-socket-redis',
    'socket.io-redis',
    'token-socket-redis-history',
    'socket.io-streams',
    'token-sockjs',
  ],
  ours: (peer) => (peer === 'socket.io-streams' ? 'token-socket-redis-history' : 'token-socket-redis'),
}

/** @returns {Workload} */
function reconnect(channels, others) {
  return {
    ...rpc(1),
    ...cluster,
    name: `cluster-reconnect-${channels}-${others}`,
    file: 'reconnect.js',
    measures: 'reconnect',
    operation: 'client',
    setup: () => ({ connections: others, each: channels, lost: 100 }),
    peers: ['token-socket-redis-recovery', 'socket.io-streams-recovery'],
    ours: () => 'token-socket-redis-recovery',
  }
}

const noServerCalls = { 'rpc-websockets': 'its server makes no calls' }

/** @type {readonly Workload[]} */
export const workloads = [
  rpc(1),
  rpc(10),
  rpc(100),
  typed(1),
  typed(10),
  {
    ...rpc(10),
    name: 'server-rpc-10',
    file: 'server-rpc.js',
    driver: 'server',
    leftOut: noServerCalls,
  },
  fanout('fanout-single', all),
  fanout('fanout-burst', inBursts),
  {
    ...rpc(1),
    name: 'sign-in',
    file: 'sign-in.js',
    operation: 'sign-in',
    leftOut: noSignIn,
  },
  {
    ...rpc(1),
    name: 'idle-memory',
    file: 'idle-memory.js',
    measures: 'memory',
    setup: ({ idle }) => ({ connections: idle }),
  },
  {
    ...rpc(1),
    name: 'scale',
    file: 'scale.js',
    measures: 'scale',
    operation: 'delivery',
    setup: ({ scale }) => ({ connections: scale }),
    leftOut: notCompared,
  },
  {
    ...rpc(1),
    name: 'stalled',
    file: 'stalled.js',
    measures: 'stalled',
    operation: 'publication',
    setup: ({ subscribers, stalledPayload }) => ({ connections: subscribers, payload: stalledPayload }),
    leftOut: { ...notCompared, ws: 'it bounds nothing', 'socket.io': 'it bounds nothing' },
  },
  {
    ...rpc(10),
    name: 'publish',
    file: 'publish.js',
    operation: 'publication',
    peers: ['token-socket', 'token-socket-history', 'token-socket-lmdb'],
  },
  {
    ...rpc(1),
    name: 'recovery',
    file: 'recovery.js',
    measures: 'recovery',
    operation: 'client',
    setup: ({ subscribers }) => ({ connections: subscribers, channels: 100, each: 10 }),
    peers: ['token-socket-history', 'token-socket-lmdb'],
  },
  { ...rpc(10), name: 'sockjs-rpc-10', sockjs: true, leftOut: noSockJS },
  { ...fanout('cluster-single', all), ...cluster, file: 'cluster-fanout.js' },
  { ...fanout('cluster-burst', inBursts), ...cluster, file: 'cluster-fanout.js' },
  {
    ...rpc(10),
    ...cluster,
    name: 'cluster-rpc',
    file: 'server-rpc.js',
    driver: 'server',
    peers: ['token-socket-redis', 'socket.io-redis', 'socket.io-streams', 'token-sockjs'],
    ours: () => 'token-socket-redis',
    unpaced: true,
    leftOut: { 'token-sockjs': 'it calls clients of its own node only' },
  },
  reconnect(1, 100),
  reconnect(1, 1000),
  reconnect(10, 100),
  reconnect(10, 1000),
]

/** Who takes part in a workload, as far as they are there. @param {Workload} workload */
export function peersOf({ peers: own = common }) {
  return own
}

/** The one of ours that a peer is compared with. @param {Workload} workload @param {string} peer */
export function oursFor({ ours }, peer) {
  return ours?.(peer) ?? 'token-socket'
}

/** Every peer. */
export const peers = [...new Set(workloads.flatMap(peersOf))]
