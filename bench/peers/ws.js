import { WebSocketServer } from 'ws'
import { encodePublication, JsonMessages } from './json-messages.js'

/** Bare ws with a handler of JSON messages. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  const subscribers = new Set()
  const messages = new JsonMessages((data) => {
    const content = Buffer.from(encodePublication(data))
    for (const socket of subscribers) socket.send(content, { binary: false })
  })
  sockets.on('connection', (socket) => {
    const client = { send: (text) => socket.send(text), join: () => void subscribers.add(socket) }
    socket.on('message', (data) => messages.receive(data.toString(), client))
    socket.on('close', () => subscribers.delete(socket))
  })
  const callOn = (socket) => {
    const send = (text) => socket.send(text)
    return (data, done) => messages.call(send, data, done)
  }
  return { callers: () => [...sockets.clients].map(callOn) }
}
