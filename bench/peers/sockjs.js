import sockjs from 'sockjs'
import { encodePublication, JsonMessages } from './json-messages.js'

/** Bare SockJS with a handler of JSON messages. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  const sockets = sockjs.createServer({ log() {} })
  const clients = new Set()
  const subscribers = new Set()
  const messages = new JsonMessages((data) => {
    const text = encodePublication(data)
    for (const connection of subscribers) connection.write(text)
  })
  sockets.on('connection', (connection) => {
    clients.add(connection)
    const client = {
      send: (text) => connection.write(text),
      join: () => void subscribers.add(connection),
    }
    connection.on('data', (text) => messages.receive(text, client))
    connection.on('close', () => {
      clients.delete(connection)
      subscribers.delete(connection)
    })
  })
  sockets.installHandlers(server, { prefix: '/sockets' })
  const callOn = (connection) => {
    const send = (text) => connection.write(text)
    return (data, done) => messages.call(send, data, done)
  }
  return { callers: () => [...clients].map(callOn) }
}
