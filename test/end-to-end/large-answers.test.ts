/** Large answers for a client that reads all the time, but takes longer than `readTimeout` for each. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { expect } from 'chai'
import { type Site, useSites } from './fixture.js'
import { frameOf, OPCODES, RawWebSocket } from './raw-websocket.js'
import { HttpSession } from './stalled-readers.js'

/** UTF-16 code units of an answer: the kernels at both ends take some megabytes of it at once. */
const SIZE = 12_000_000

/** Bytes a second that a client takes. */
const PACE = 12_000_000

const CALLS = ['1', '2'].map((uuid) => ({ rpc: 'big', req: SIZE, uuid }))

/** Reads both answers by a WebSocket. @returns the bytes that came */
async function byWebSocket(site: Site, path: string): Promise<number> {
  const raw = await RawWebSocket.open(site.port, path)
  const send = (message: object) => {
    const json = JSON.stringify(message)
    raw.write(frameOf(OPCODES.text, path.endsWith('/sockets/websocket') ? json : JSON.stringify([json])))
  }
  send({ rpc: 'auth', token: await site.token(), uuid: 'auth' })
  await raw.find(OPCODES.text, (payload) => payload.includes('success'))
  raw.socket.removeAllListeners('data')
  raw.readAtMost(PACE)
  let bytes = 0
  const all = new Promise<void>((resolve) => {
    raw.socket.on('data', ({ length }: Buffer) => {
      bytes += length
      if (bytes > 2 * SIZE) resolve()
    })
  })
  for (const call of CALLS) send(call)
  await Promise.race([all, once(raw.socket, 'close')])
  raw.destroy()
  return bytes
}

/** Reads both answers by requests. @returns the bytes that came */
async function byRequests(site: Site, transport: string): Promise<number> {
  const session = new HttpSession(site)
  expect(await session.poll()).to.equal('o')
  await session.send({ rpc: 'auth', token: await site.token(), uuid: '1' })
  await session.poll()
  await session.send(...CALLS)
  let bytes = 0
  while (bytes < 2 * SIZE) {
    const sent = request(`${session.url}/${transport}`, { method: 'POST', agent: false })
    const [response] = (await once(sent.end(), 'response')) as [IncomingMessage]
    const before = bytes
    response.on('data', ({ length }: Buffer) => {
      bytes += length
      response.pause()
      setTimeout(() => response.resume(), (length / PACE) * 1000)
    })
    await once(response, 'end')
    if (bytes - before < 5000) break
  }
  return bytes
}

const WAYS: Readonly<Record<string, (site: Site) => Promise<number>>> = {
  'plain WebSocket': (site) => byWebSocket(site, '/sockets/websocket'),
  'SockJS’s WebSocket': (site) => byWebSocket(site, `/sockets/000/${randomUUID()}/websocket`),
  'xhr-polling': (site) => byRequests(site, 'xhr'),
  'xhr-streaming': (site) => byRequests(site, 'xhr_streaming'),
}

describe('two large answers for a client that reads slowly', function () {
  this.timeout(120_000)
  const start = useSites()

  for (const [way, read] of Object.entries(WAYS)) {
    it(`arrive by ${way}, although each takes longer than readTimeout`, async () => {
      const site = await start({
        limits: { readTimeout: 300 },
        socketController: { big: (_auth: unknown, size: number) => 'x'.repeat(size) },
      })
      expect(await read(site)).to.be.above(2 * SIZE)
    })
  }
})
