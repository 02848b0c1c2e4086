/** Two copies of the server's package in one process, as of an application that imports it and a library that requires it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express from 'express'
import { root } from './source-file.js'

type ServerPackage = typeof import('@token-socket/server')

describe('two copies of the server’s package in one process', () => {
  const dist = `${root}/packages/server/dist`

  it('see what the other one has taken, and follow each other', async () => {
    const required: ServerPackage = createRequire(import.meta.url)(`${dist}/cjs/index.js`)
    const imported: ServerPackage = await import(`${dist}/esm/index.js`)
    expect(required.TokenSocketServer).not.to.equal(imported.TokenSocketServer)
    const app = express()
    const http = createServer(app).listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    const engine = new imported.MemoryEngine()
    const options = { app, server: http, logger, authentication: () => ({ uid: 'ann' }), engine }
    const first = new required.TokenSocketServer(options)
    const others = { prefix: '/other', tokenRoute: '/other-token' }
    expect(() => new imported.TokenSocketServer({ ...options, engine: undefined })).to.throw(
      'prefix (/sockets)',
    )
    expect(() => new imported.TokenSocketServer({ ...options, ...others })).to.throw('engine is a server')
    await first.shutdown()
    // Its engine is the other copy’s: being in memory, it may be used again all the same.
    const second = new imported.TokenSocketServer(options)
    const answer = await fetch(`http://127.0.0.1:${port}/socket/token`)
    expect([answer.status, app.router.stack.length]).to.deep.equal([200, 1])
    await second.shutdown({ final: true })
    expect([app.router.stack.length, http.listenerCount('upgrade')]).to.deep.equal([0, 0])
    http.closeAllConnections()
    http.close()
  })
})
