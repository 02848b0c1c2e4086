/**
 * What a frame of the server holds.
 * @typedef {{ kind: 'answer', id: number, data: any }
 *   | { kind: 'call', callId: any, data: any }
 *   | { kind: 'publication', data: any }
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
 * @property {(id: number, name: string, json: string) => string} call
 * @property {(callId: any, json: string) => string} result the answer to a call of the server
 * @property {(messages: readonly string[]) => string} frame
 * @property {(text: string) => Message[]} decode
 */

import { jsonMessages } from './json-messages.js'
import { overSockJS } from './over-sockjs.js'
import { rpcWebSockets } from './rpc-websockets.js'
import { socketIO } from './socket-io.js'
import { tokenSocket } from './token-socket.js'

/** The wire of each peer. @type {Readonly<Record<string, Wire>>} */
const wires = {
  'token-socket': tokenSocket,
  'token-socket-history': tokenSocket,
  'token-socket-lmdb': tokenSocket,
  ws: jsonMessages,
  'socket.io': socketIO,
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
  return sockjs && peer === 'token-socket' ? overSockJS(tokenSocket) : wires[peer]
}
