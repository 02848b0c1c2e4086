/**
 * What a frame of the server holds.
 * @typedef {{ kind: 'answer', id: number, data: any }
 *   | { kind: 'call', callId: any, data: any }
 *   | { kind: 'publication', data: any, place?: any }
 *   | { kind: 'ping', reply: string }
 *   | { kind: 'signal', data: any }
 *   | { kind: 'unknown' }} Message
 */

/**
 * How the clients of a peer speak, in frames written by hand, in the way of its own client.
 * @typedef {object} Wire
 * @property {boolean} batches whether its own client sends the messages of one turn in one frame
 * @property {'GET' | 'POST'} [tokenMethod] how its client asks for a token, if it does
 * @property {() => string} path where a connection opens
 * @property {(client: import('../loader/client.js').Client, token?: string) => Promise<void>} enter until it is ready
 * @property {(client: import('../loader/client.js').Client) => Promise<void>} subscribe to the channel `news`
 * @property {(client: import('../loader/client.js').Client, channel: string) => Promise<any>} [join] subscribes to any
 *   channel; gives its place
 * @property {(client: import('../loader/client.js').Client, token: string, session: Session) => Promise<void>} [resume]
 *   as `enter`, and where it was before, so that what it missed comes
 * @property {(id: number, name: string, json: string) => string} call
 * @property {(callId: any, json: string) => string} result the answer to a call of the server
 * @property {(messages: readonly string[]) => string} frame
 * @property {(text: string) => Message[]} decode
 */

/**
 * What a client that comes back knows of the time before.
 * @typedef {object} Session
 * @property {string | undefined} name the server's word for it
 * @property {readonly any[]} places with its latest publications, one for each channel that has its own
 */

import { jsonMessages } from './json-messages.js'
import { overSockJS } from './over-sockjs.js'
import { rpcWebSockets } from './rpc-websockets.js'
import { socketIO } from './socket-io.js'
import { tokenSocket } from './token-socket.js'

/** The wire of each peer. @type {Readonly<Record<string, Wire>>} */
const wires = {
  'token-socket': tokenSocket,
  'token-socket-before': tokenSocket,
  'token-socket-history': tokenSocket,
  'token-socket-lmdb': tokenSocket,
  'token-socket-contract': tokenSocket,
  'token-socket-zod': tokenSocket,
  'token-socket-valibot': tokenSocket,
  'token-socket-arktype': tokenSocket,
  'token-socket-redis': tokenSocket,
  'token-socket-redis-history': tokenSocket,
  'token-socket-redis-recovery': tokenSocket,
  ws: jsonMessages,
  'socket.io': socketIO,
  'socket.io-redis': socketIO,
  'socket.io-streams': socketIO,
  'socket.io-streams-recovery': socketIO,
  'rpc-websockets': rpcWebSockets,
  sockjs: overSockJS(jsonMessages),
  'token-sockjs': { ...overSockJS(tokenSocket), tokenMethod: 'GET' },
}

/**
 * @param {string} peer
 * @param {boolean} sockjs whether a peer that can do both is to use SockJS's framing
 * @returns {Wire}
 */
export function wireOf(peer, sockjs) {
  return sockjs && peer.startsWith('token-socket') ? overSockJS(tokenSocket) : wires[peer]
}
