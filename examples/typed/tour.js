// The snippets of a generated WebSocket client, one after the other, against a server of this process.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from '@token-socket/contract/client'
import express from 'express'
import { contract } from './contract.js'
import { createSockets } from './sockets.js'

const app = express()
const server = createServer(app)
const sockets = createSockets(app, server)
server.listen(0, '127.0.0.1')
await once(server, 'listening')

const client = await connect(contract, { url: `ws://127.0.0.1:${server.address().port}` })

// Listening to messages. A function is returned that removes the listener.
const greeted = new Promise((resolve) => {
  client.onSendGreeting((input) => {
    console.log(`Received greeting ${input.greeting}`)
    resolve()
  })
})

// Sending messages.
await client.sayHello({ name: 'Jack' })
await greeted

// Subscriptions: the callback runs now, and again after each reconnect.
let connections = 0
let subscribed
const subscription = () =>
  new Promise((resolve) => {
    subscribed = resolve
  })
const first = subscription()
const unlistenToReconnect = client.$withReconnect(async () => {
  await client.subscribeToNotifications({ topic: 'foo' })
  connections += 1
  console.log(`Subscribed on connection ${connections}`)
  subscribed()
})
const unlistenToNotifications = client.onSendNotification((input) => {
  console.log(`Received notification ${input.message}`)
})
await first
console.log(`Reached ${(await client.announce({ topic: 'foo', message: 'one' })).reached}`)

const again = subscription()
client.cutTheLine()
await again
await client.announce({ topic: 'foo', message: 'two' })

// Errors: what does not conform to the contract comes to $onError.
const failed = new Promise((resolve) => {
  const unlistenToErrors = client.$onError(({ message }) => {
    console.log(`Received error: ${message}`)
    unlistenToErrors()
    resolve()
  })
})
client.sayHello({ name: '' })
await failed

// Invoke the returned unlisten functions to remove the listeners when finished.
unlistenToReconnect()
unlistenToNotifications()

await client.$disconnect()
await sockets.shutdown()
server.close()
