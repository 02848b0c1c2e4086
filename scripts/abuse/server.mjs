// The server under attack, in a process of its own: default options, and whatever its parent's `settings` add.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { MemoryEngine, TokenSocketServer } from '@token-socket/server'
import express from 'express'
import { liveBytes, StallMeter } from './meter.mjs'

const { options = {}, engine = {}, claims: channels, umd = 0 } = JSON.parse(process.argv[2] ?? '{}')
const counts = { uncaught: 0, errors: 0, lines: 0, calls: 0 }
process.on('uncaughtException', (error) => {
  counts.uncaught += 1
  console.error('uncaught:', error)
})

const count = () => {
  counts.lines += 1
}
const socketController = {
  echo: (_auth, data) => data,
  later: () => new Promise((resolve) => setTimeout(resolve, 20_000).unref()),
  count: () => {
    counts.calls += 1
    return counts.calls
  },
}
const app = express()
const http = createServer(app)
const sockets = new TokenSocketServer({
  app,
  server: http,
  secret: 'at least 32 bytes of randomness!',
  socketController,
  authentication: async ({ query }) => ({
    uid: String(query.uid ?? 'guest'),
    umd: 'x'.repeat(umd),
    ...(channels && { channels }),
  }),
  logger: { debug() {}, info: count, warn: count, error: count },
  engine: new MemoryEngine(engine),
  ...options,
})
sockets.on('error', () => {
  counts.errors += 1
})

const meter = new StallMeter()
const questions = {
  reset: () => meter.reset(),
  report: () => ({
    stall: meter.longest,
    ...counts,
    sockets: sockets.sockets().length,
    channels: sockets.channels().length,
  }),
  memory: () => liveBytes(),
  publish: async ({ channel, times, bytes }) => {
    for (let index = 0; index < times; index += 1) await sockets.publish(channel, 'x'.repeat(bytes))
  },
}
process.on('message', async ({ id, name, data }) => process.send({ id, answer: await questions[name](data) }))
process.on('disconnect', () => process.exit())
http.listen(0, '127.0.0.1')
await once(http, 'listening')
process.send({ port: http.address().port })
