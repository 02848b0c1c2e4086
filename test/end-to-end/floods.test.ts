import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { expect } from 'chai'
import express from 'express'
import { type Site, turn, until, useSites } from './fixture.js'
import { MB, MemoryGrowth } from './memory.js'
import { frameOf, OPCODES, RawWebSocket } from './raw-websocket.js'
import { HttpSession } from './stalled-readers.js'

/** Requests, and what is none, each of which the server answers. */
const ANSWERED = {
  pings: () => ({ rpc: '_ping', req: {}, uuid: 'x' }),
  calls: () => ({ rpc: 'echo', req: 'x'.repeat(100), uuid: 'x' }),
  'unknown functions': () => ({ rpc: 'x'.repeat(200), uuid: 'x' }),
  'wrong frames': () => ({ rpc: 5 }),
}

/** How many connections a test may open: each has two ends in this process. */
const MANY = Math.min(2000, Math.floor((openFiles() - 500) / 2))

function openFiles(): number {
  const { userLimits } = process.report.getReport() as unknown as {
    readonly userLimits: { readonly open_files: { readonly soft: number | 'unlimited' } }
  }
  return Number(userLimits.open_files.soft) || Number.POSITIVE_INFINITY
}

describe('floods', () => {
  const start = useSites()

  /** A WebSocket that is let in, and then reads nothing. */
  async function deaf(site: Site): Promise<RawWebSocket> {
    const raw = await RawWebSocket.open(site.port)
    raw.send({ rpc: 'auth', token: await site.token(), uuid: 'auth' })
    await raw.find(OPCODES.text, (payload) => payload.includes('success'))
    raw.hear = () => {}
    raw.pause()
    return raw
  }

  it('of pings whose pongs nobody reads are cut off, and no other socket', async () => {
    const site = await start()
    const other = await site.ready()
    const raw = await deaf(site)
    const growth = new MemoryGrowth()
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => frameOf(OPCODES.ping, 'x'.repeat(125))))
    let sent = 0
    while (!raw.socket.destroyed && sent < 400_000) {
      raw.write(pings)
      sent += 1000
      await other.rpc('echo')
      if (sent % 20_000 === 0) growth.look()
    }
    expect(await raw.closed).to.equal(1006)
    expect(growth.most).to.be.below(21 * MB)
    await until(() => site.sockets.sockets().length === 1)
    await site.servesHonestClients()
  })

  for (const [what, make] of Object.entries(ANSWERED)) {
    it(`of ${what} on a WebSocket that reads no answer are closed as slow_consumer`, async () => {
      // They are closed earlier for what they send, if the limits are not this high.
      const site = await start({ limits: { rate: 1e9, wrongMessages: 1e9, readTimeout: 1000 } })
      const other = await site.ready()
      const raw = await deaf(site)
      const growth = new MemoryGrowth()
      const frame = frameOf(OPCODES.text, Array(200).fill(JSON.stringify(make())).join('\n'))
      let sent = 0
      while (site.sockets.sockets().length === 2 && sent < 400_000) {
        // The server does not read on: what this end buffers is not the server's.
        if (raw.socket.writableLength < MB) {
          raw.write(frame)
          sent += 200
        }
        await other.rpc('echo')
        if (sent % 20_000 === 0) growth.look()
      }
      await until(() => site.sockets.sockets().length === 1)
      expect(growth.most).to.be.below(21 * MB)
      raw.resume()
      expect(await raw.closed).to.equal(4002)
      await site.servesHonestClients()
    })
  }

  it('of requests to a session that nobody polls are closed as slow_consumer', async () => {
    // Before sockjs ends a session that is not polled for 5 s.
    const site = await start({ limits: { readTimeout: 1000 } })
    const session = new HttpSession(site)
    await session.poll()
    await session.subscribe('a')
    const requests = Array.from({ length: 1000 }, ANSWERED.calls)
    let sent = 0
    while (site.sockets.sockets().length === 1 && sent < 50_000) {
      expect(await session.send(...requests)).to.equal(204)
      sent += 1000
    }
    expect(sent).to.be.below(20_000)
    expect(await session.ending()).to.equal(4002)
    await site.servesHonestClients()
  })

  describe('of half-open connections', () => {
    it('are closed with 4003 if they never say the token, and are counted until then', async () => {
      const site = await start({ authTimeout: 600_000, limits: { connections: MANY + 1 } })
      const other = await site.ready()
      const raws = await openMany((index) => RawWebSocket.open(site.port, path(index)))
      expect(await (await fetch(`${site.url}/hello`)).text()).to.equal('hello')
      expect(await other.rpc('echo', 'unharmed')).to.equal('unharmed')
      const tooMany = (transport: string) =>
        fetch(`${site.url}/sockets/000/one-more/${transport}`, { method: 'POST' })
      expect((await tooMany('xhr')).status).to.equal(503)
      await expectRejection(RawWebSocket.open(site.port), /503 Service Unavailable/)
      site.sockets.enableCleanup(100)
      const codes = await Promise.all(raws.map(({ closed }) => closed))
      expect(new Set(codes)).to.deep.equal(new Set([4003]))
      expect(await other.rpc('echo', 'unharmed')).to.equal('unharmed')
      expect((await tooMany('xhr')).status).to.equal(200)
    })

    it('are closed by Node if they never end their request, and are not counted', async () => {
      const app = express()
      // Of Node's own bounds, the one for a request's head: a minute if nothing is said, looked at twice a minute.
      const server = createServer({ headersTimeout: 500, connectionsCheckingInterval: 50 }, app)
      const site = await start({ app, server, limits: { connections: 2 } })
      const other = await site.ready()
      const halves = await openMany(() => half(site))
      expect(await other.rpc('echo', 'unharmed')).to.equal('unharmed')
      await site.servesHonestClients()
      const answers = await Promise.all(halves.map(({ answer }) => answer))
      expect(new Set(answers)).to.deep.equal(new Set(['HTTP/1.1 408 Request Timeout']))
      expect(await other.rpc('echo', 'unharmed')).to.equal('unharmed')
    })
  })

  describe('of a body of 64 MB', () => {
    const refused = [
      ['xhr_send', 'Content-Length: 67108864', 404],
      ['jsonp_send', 'Content-Length: 67108864', 404],
      ['xhr_send', 'Transfer-Encoding: chunked', 404],
    ] as const
    for (const [transport, header, status] of refused) {
      it(`to ${transport} of no session, with ${header}, are answered ${status} and not read`, async () => {
        const site = await start()
        const other = await site.ready()
        const upload = new Upload(site, `/sockets/000/nobody/${transport}`, header)
        while (!upload.isOver && upload.sent < 64) {
          await upload.go(1)
          await other.rpc('echo')
        }
        await upload.closed
        expect(upload.sent).to.be.below(32)
        expect(upload.answer).to.match(new RegExp(`^HTTP/1.1 ${status} `))
        expect(await other.rpc('echo', 'unharmed')).to.equal('unharmed')
      })
    }
  })
})

/** Every second one as SockJS frames it. */
function path(index: number): string {
  return index % 2 === 0 ? '/sockets/websocket' : `/sockets/000/half-${index}/websocket`
}

/** Opens as many connections as a test may, not more at once than a server's backlog takes. */
async function openMany<T>(open: (index: number) => Promise<T>): Promise<T[]> {
  const all: T[] = []
  while (all.length < MANY) {
    const count = Math.min(100, MANY - all.length)
    all.push(...(await Promise.all(Array.from({ length: count }, (_, index) => open(all.length + index)))))
  }
  return all
}

/** A connection that sends half of an upgrade request. */
async function half(site: Site): Promise<{ readonly answer: Promise<string | undefined> }> {
  const socket = connect(site.port, '127.0.0.1')
  const answer = firstLine(socket)
  await once(socket, 'connect')
  socket.write('GET /sockets/websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgr')
  return { answer }
}

async function firstLine(socket: Socket): Promise<string | undefined> {
  let text = ''
  socket.on('data', (chunk) => {
    text += String(chunk)
  })
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  return text.split('\r\n', 1)[0]
}

async function expectRejection(promise: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (cause: Error) => cause,
  )
  expect(error?.message).to.match(message)
}

/** A request whose body comes mebibyte by mebibyte. */
class Upload {
  /** Mebibytes. */
  sent = 0
  isOver = false
  answer = ''
  readonly closed: Promise<unknown>
  readonly #socket: Socket
  readonly #chunk: string

  constructor(site: Site, path: string, header: string) {
    this.#socket = connect(site.port, '127.0.0.1')
    this.#socket.on('data', (chunk) => {
      this.answer += String(chunk)
    })
    this.#socket.on('error', () => {})
    this.closed = once(this.#socket, 'close').then(() => {
      this.isOver = true
    })
    const body = 'x'.repeat(MB)
    this.#chunk = header.includes('chunked') ? `100000\r\n${body}\r\n` : body
    this.#socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\n${header}\r\n\r\n`)
  }

  async go(mebibytes: number): Promise<void> {
    this.sent += mebibytes
    if (!this.#socket.write(this.#chunk))
      await Promise.race([once(this.#socket, 'drain'), this.closed, turn()])
  }
}
