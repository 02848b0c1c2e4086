/** An application that listens on a Unix socket, behind a proxy that says whom a request is from. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import { WebSocket } from 'ws'
import { until } from './fixture.js'

/** The address of a socket, by `trust proxy`: a Unix socket's peer has no address of its own. */
const ADDRESSES = [
  [undefined, ''],
  ['loopback', ''],
  [true, '203.0.113.7'],
] as const

describe('a server on a Unix socket', () => {
  for (const [trust, wanted] of ADDRESSES) {
    it(`knows ${wanted || 'no address'} with the trust proxy ${trust}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'token-socket-'))
      const path = join(folder, 'http.sock')
      const app = express()
      if (trust !== undefined) app.set('trust proxy', trust)
      const server = createServer(app)
      const sockets = new TokenSocketServer({
        ...{ app, server, logger: { debug() {}, info() {}, warn() {}, error() {} } },
        authentication: () => ({ uid: 'ann' }),
        connectAuthentication: () => ({ uid: 'ann' }),
      })
      await new Promise<void>((resolve) => server.listen(path, resolve))
      const headers = { 'X-Forwarded-For': '203.0.113.7' }
      const peer = new WebSocket(`ws+unix:${path}:/sockets/websocket`, { headers })
      peer.on('open', () => peer.send(JSON.stringify({ rpc: 'auth', req: { version: 1 }, uuid: '1' })))
      await until(() => sockets.sockets().length === 1)
      expect(sockets.sockets().map(({ ip }) => ip ?? '')).to.deep.equal([wanted])
      peer.terminate()
      await sockets.shutdown()
      server.close()
      await rm(folder, { recursive: true })
    })
  }
})
