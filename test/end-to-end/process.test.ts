/** What only a process of its own can show: that it ends by itself, and that nothing ends it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const BEGIN = `
import { createServer } from 'node:http'
import { once } from 'node:events'
import express from 'express'
import { TokenSocket } from '@token-socket/client'
import { TokenSocketServer } from '@token-socket/server'
import { WebSocket } from 'ws'
const logger = { debug() {}, info() {}, warn() {}, error() {} }
const app = express()
const server = createServer(app)
const sockets = new TokenSocketServer({ app, server, logger, authentication: () => true })
const listen = async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return '127.0.0.1:' + server.address().port
}
`

/** Runs a program to its end. It is killed, and fails the test, if it does not end by itself. */
async function run(program: string) {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const args = [
    '--conditions=@token-socket/source',
    '--import=tsx',
    '--input-type=module',
    '--eval',
    BEGIN + program,
  ]
  // Development builds write advice.
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = spawn(process.execPath, args, { cwd: root, env, timeout: 100_000 })
  const [[code, signal], output, errors] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, signal, output: output.trim(), errors: errors.trim() }
}

const ENDED = { code: 0, signal: null, errors: '' }

describe('a process', () => {
  it('that makes a server and never listens ends by itself', async () => {
    expect(await run(`console.log('made')`)).to.deep.equal({ ...ENDED, output: 'made' })
  }).timeout(120_000)

  it('ends by itself after shutdown() and server.close(), whatever was connected', async () => {
    const program = `
      const host = await listen()
      const client = new TokenSocket({ host, reconnect: false })
      await client.ready()
      await client.subscribe('a')
      const silent = new WebSocket('ws://' + host + '/sockets/websocket')
      await once(silent, 'open')
      const { token } = await (await fetch('http://' + host + '/socket/token', { method: 'POST' })).json()
      await (await fetch('http://' + host + '/sockets/000/abc/xhr', { method: 'POST' })).text()
      await sockets.shutdown()
      server.close()
      console.log('done')`
    expect(await run(program)).to.deep.equal({ ...ENDED, output: 'done' })
  }).timeout(120_000)

  it('is not kept by peers that neither read nor close', async () => {
    const program = `
      import { connect } from 'node:net'
      const host = await listen()
      const peer = connect(server.address().port, '127.0.0.1').unref()
      const upgrade = ['GET /sockets/websocket HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket',
        'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', '']
      peer.write(upgrade.join('\\r\\n'))
      await once(peer, 'data')
      peer.pause()
      const started = performance.now()
      process.once('exit', () => console.log(performance.now() - started < 10_000 ? 'done' : 'late'))
      await sockets.shutdown()
      server.close()`
    expect(await run(program)).to.deep.equal({ ...ENDED, output: 'done' })
  }).timeout(120_000)

  it('gets the HTTP server’s error when the port is in use, and ends by itself', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const program = `
      server.on('error', (error) => console.log(error.code))
      server.listen(${port}, '127.0.0.1')`
    expect(await run(program)).to.deep.equal({ ...ENDED, output: 'EADDRINUSE' })
    taken.close()
  }).timeout(120_000)

  it('dies of an unhandled error of its own HTTP server as it would without the library', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const { code, errors } = await run(`server.listen(${port}, '127.0.0.1')`)
    expect(code).to.equal(1)
    expect(errors).to.contain('EADDRINUSE')
    taken.close()
  }).timeout(120_000)

  it('is not ended by promises that nobody awaits', async () => {
    const program = `
      const host = await listen()
      const client = new TokenSocket({ host })
      client.rpc('nothing')
      client.publish('a', 1n)
      client.subscribe('')
      await client.ready()
      const [socket] = sockets.sockets()
      sockets.rpc(socket, 'nothing')
      sockets.publish('', 1)
      sockets.broadcast(1n)
      sockets.subscribe(socket, '')
      await client.rpc('_ping')
      client.rpc('never')
      client.end()
      await sockets.shutdown()
      server.close()
      console.log('done')`
    expect(await run(program)).to.deep.equal({ ...ENDED, output: 'done' })
  }).timeout(120_000)

  it('a client does not keep it when it has ended, and does until then', async () => {
    const program = `
      const host = await listen()
      const client = new TokenSocket({ host })
      await client.ready()
      await client.end()
      await sockets.shutdown()
      server.close()
      console.log('done')`
    expect(await run(program)).to.deep.equal({ ...ENDED, output: 'done' })
  }).timeout(120_000)
})
