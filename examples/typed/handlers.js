// The server's functions. Each gets an input that its schema has taken; `client` calls the socket's own client.

import { implement } from '@token-socket/contract/server'
import { contract } from './contract.js'

/** The sockets that listen to each topic, with what calls their clients. */
const listeners = new Map()

export const socketController = implement(contract, {
  sayHello({ name }, { client }) {
    client.sendGreeting({ greeting: `Hello ${name}!` })
  },

  subscribeToNotifications({ topic }, { client, socket }) {
    if (!listeners.has(topic)) listeners.set(topic, new Map())
    listeners.get(topic).set(socket, client)
  },

  announce({ topic, message }, { errors }) {
    const clients = [...(listeners.get(topic)?.values() ?? [])]
    if (clients.length === 0) throw errors.no_listener({ topic })
    for (const client of clients) client.sendNotification({ topic, message })
    return { reached: clients.length }
  },

  cutTheLine(_input, { socket }) {
    socket.end()
  },
})

/** A socket is gone: a client that comes back subscribes again, by `$withReconnect`. */
export function forget(socket) {
  for (const [topic, sockets] of listeners) {
    sockets.delete(socket)
    if (sockets.size === 0) listeners.delete(topic)
  }
}
