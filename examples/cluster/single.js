// The process of one node behind a proxy.

import { createNode } from './node.js'

const { NODE_NAME: name, REDIS_URL: redis, TOKEN_SECRET: secret, PORT: port } = process.env
const node = createNode({ name, redis, secret })

process.on('SIGTERM', async () => {
  setTimeout(() => process.exit(), 5000).unref()
  await node.end()
  process.exit()
})
// A terminal's Ctrl-C is for the process that started this one.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit())
process.on('message', (states) => node.publishStates(states))

node.server.listen(Number(port), '127.0.0.1', () => process.send({ isReady: true }))
