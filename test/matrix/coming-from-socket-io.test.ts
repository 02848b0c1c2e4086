/** The application of docs/coming-from/socket-io.md: with Socket.IO, and with this pair. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { TokenSocket } from '@token-socket/client'
import { TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import { GuidePage } from '../end-to-end/guide/guide-page.js'

describe('coming from Socket.IO: the same application', () => {
  let page: GuidePage

  before(async () => {
    page = await GuidePage.write('coming-from/socket-io', 'test/matrix/node_modules')
  })

  after(() => page?.remove())

  for (const prefix of ['socket-io-', ''])
    it(`${prefix}client.mjs prints what the page says`, async () => {
      const server = await page.serve(`${prefix}server.mjs`)
      const { code, output } = await page.run(`${prefix}client.mjs`).ended()
      expect({ code, output: output.trim() }).to.deep.equal({
        code: 0,
        output: page.prints(`${prefix}client.mjs`),
      })
      await server.kill()
    })
})

describe('coming from Socket.IO: both on one HTTP server', () => {
  // The root has no socket.io: it is a package of this folder.
  const load = createRequire(import.meta.url)
  const app = express()
  const server = createServer(app)
  const io = new (load('socket.io').Server)(server)
  let sockets: TokenSocketServer
  let host: string

  before(async () => {
    io.on(
      'connection',
      (socket: { on(event: string, listener: (done: (text: string) => void) => void): void }) =>
        socket.on('ask', (done) => done('answer')),
    )
    const secret = 'of the tests, 32 bytes long or more'
    const socketController = { ask: () => 'answer' }
    const authentication = () => ({ uid: 'ann' })
    sockets = new TokenSocketServer({ app, server, secret, socketController, authentication })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  after(async () => {
    await sockets.shutdown()
    await io.close()
  })

  for (const transport of ['websocket', 'polling'])
    it(`Socket.IO's client is served by ${transport}, and this one`, async () => {
      const other = load('socket.io-client').io(host, { transports: [transport] })
      const client = new TokenSocket({ host })
      expect([await other.emitWithAck('ask'), await client.rpc('ask')]).to.deep.equal(['answer', 'answer'])
      other.disconnect()
      await client.end()
    })
})
