/**
 * Bytes of memory for an idle connection: one of bare `ws`, an authenticated one of ours, and one that has also called a
 * function and is subscribed to a channel.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { TokenSocketServer } from '@token-socket/server'
import express from 'express'
import { WebSocketServer } from 'ws'
import { memoryInUse } from '../garbage.js'

/** Connections that are there before: what all share does not count, nor does code that is compiled late. */
const SETTLED = 1000
const COUNT = 1000
/** How many connect at once. */
const AT_ONCE = 20

/** What the library's own client can do. */
const CAN = ['cancel', 'notify', 'refresh', 'direct']

/** Opens one connection. */
type Open = (port: number) => Promise<Socket>

const HANDSHAKE = [
  'GET /sockets/websocket HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
].join('\r\n')

async function upgrade(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${HANDSHAKE}\r\n\r\n`)
  await once(socket, 'data')
  return socket
}

/** Sends a small masked frame whose mask is zero. */
function send(socket: Socket, message: unknown): void {
  const text = Buffer.from(JSON.stringify(message))
  const head = Buffer.from([0x81, 0x80 | 126, text.length >> 8, text.length & 255, 0, 0, 0, 0])
  socket.write(Buffer.concat([head, text]))
}

async function signIn(port: number, can?: readonly string[]): Promise<Socket> {
  const answer = await fetch(`http://127.0.0.1:${port}/socket/token`, { method: 'POST' })
  const { token } = (await answer.json()) as { token: string }
  const socket = await upgrade(port)
  send(socket, { rpc: 'auth', token, uuid: '1', version: 1, can })
  await once(socket, 'data')
  return socket
}

async function takePart(port: number): Promise<Socket> {
  const socket = await signIn(port, CAN)
  send(socket, { rpc: '_subscribe', req: { channel: 'news' }, uuid: '2' })
  await once(socket, 'data')
  send(socket, { rpc: 'echo', req: 1, uuid: '3' })
  await once(socket, 'data')
  return socket
}

async function openMany(count: number, open: () => Promise<Socket>): Promise<Socket[]> {
  const sockets: Socket[] = []
  let left = count
  const openSome = async () => {
    for (; left > 0; left -= 1) sockets.push(await open())
  }
  await Promise.all(Array.from({ length: AT_ONCE }, openSome))
  return sockets
}

/** Bytes for each of its connections, the client's end included. */
async function measure(server: Server, open: Open): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const settled = await openMany(SETTLED, () => open(port))
  const before = memoryInUse()
  const sockets = await openMany(COUNT, () => open(port))
  const bytes = (memoryInUse() - before) / sockets.length
  for (const socket of [...settled, ...sockets]) socket.destroy()
  server.close()
  return bytes
}

function ours(open: Open): Promise<number> {
  const app = express()
  const server = createServer(app)
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error }
  const authentication = () => ({ name: 'ann' })
  const socketController = { echo: (_auth: unknown, data: unknown) => data }
  new TokenSocketServer({ app, server, authentication, secret: 's'.repeat(32), logger, socketController })
  return measure(server, open)
}

function bare(): Promise<number> {
  const server = createServer()
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  sockets.on('connection', (socket) => socket.on('message', () => {}))
  return measure(server, upgrade)
}

const measured = {
  bare: await bare(),
  idle: await ours((port) => signIn(port)),
  takingPart: await ours(takePart),
}
console.log(JSON.stringify(measured))
process.exit()
