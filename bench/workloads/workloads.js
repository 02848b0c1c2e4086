/**
 * @typedef {object} Workload
 * @property {string} name
 * @property {string} file the loader's part, in this folder
 * @property {'operations' | 'memory' | 'scale' | 'stalled' | 'recovery'} measures
 * @property {'loader' | 'server'} driver which process starts the operations
 * @property {string} operation what is counted as one
 * @property {(options: import('../control/options.js').Options) => object} setup what differs from the options
 * @property {boolean} [sockjs] everybody speaks SockJS
 * @property {readonly string[]} [peers] instead of all: ours in several ways
 * @property {Readonly<Record<string, string>>} leftOut peers that do not do it, and why
 */

/** Every peer, in the order of a round: ours first. */
export const peers = ['token-socket', 'ws', 'socket.io', 'rpc-websockets', 'sockjs', 'token-sockjs']

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

const notCompared = {
  'rpc-websockets': 'not compared',
  sockjs: 'not compared',
  'token-sockjs': 'not compared',
}

const noServerCalls = { 'rpc-websockets': 'its server makes no calls' }

/** @type {readonly Workload[]} */
export const workloads = [
  rpc(1),
  rpc(10),
  rpc(100),
  {
    ...rpc(10),
    name: 'server-rpc-10',
    file: 'server-rpc.js',
    driver: 'server',
    leftOut: noServerCalls,
  },
  fanout('fanout-single', ({ subscribers }) => ({ connections: subscribers, burst: 1 })),
  fanout('fanout-burst', ({ subscribers, burst }) => ({ connections: subscribers, burst })),
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
]
