/** A server on Redis in a process of its own, for tests of what may end a process: it publishes without looking at what comes of it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RedisEngine } from '@token-socket/redis'
import { TokenSocketServer } from '@token-socket/server'
import express from 'express'

const [options = '{}'] = process.argv.slice(2)
const faults: string[] = []
const note = (cause: unknown) => faults.push(String((cause as Error)?.stack ?? cause))
process.on('unhandledRejection', note).on('uncaughtException', note)

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const app = express()
const server = createServer(app)
const sockets = new TokenSocketServer({
  app,
  server,
  secret: 'the secret of every node, of 32 bytes',
  engine: new RedisEngine({ logger: silent, ...JSON.parse(options) }),
  authentication: async () => ({ uid: 'ann' }),
  channels: {
    'kept-*': { subscribe: true, publish: true, history: { size: 100, ttl: 60_000 }, presence: true },
  },
  socketController: { echo: (_auth, data) => data },
  logger: silent,
})

let count = 0
const load = setInterval(() => {
  for (const channel of ['kept-a', 'loose']) void sockets.publish(channel, ++count)
  void sockets.broadcast(count)
  void sockets.unsubscribeAll('nobody')
  for (const socket of sockets.sockets()) {
    void sockets.subscribe(socket, `kept-${count % 7}`)
    sockets.unsubscribe(socket, `kept-${(count + 3) % 7}`)
  }
}, 2)

process.on('message', async () => {
  clearInterval(load)
  await sockets.shutdown()
  server.closeAllConnections()
  server.close()
  process.send?.({ faults, count }, () => process.disconnect())
})

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
