import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import SockJS from 'sockjs-client'
import { next, until, useSites } from './fixture.js'

/** A way to the server that can fall silent without closing: what comes is swallowed. */
class SilentProxy {
  readonly #server = createServer((socket) => this.#join(socket))
  readonly #sockets: Socket[] = []
  readonly #port: number
  isSilent = false

  constructor(port: number) {
    this.#port = port
  }

  async start(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #join(socket: Socket): void {
    const other = connect(this.#port, '127.0.0.1')
    this.#sockets.push(socket, other)
    for (const [from, to] of [
      [socket, other],
      [other, socket],
    ] as const) {
      from.on('data', (bytes) => !this.isSilent && to.write(bytes))
      from.on('error', () => {})
    }
  }
}

describe('a connection that falls silent', () => {
  const start = useSites()
  let proxy: SilentProxy

  afterEach(() => proxy.stop())

  it('is given up by both sides, and the client comes back', async () => {
    const site = await start({ pingInterval: 200, pingTimeout: 200 })
    proxy = new SilentProxy(site.port)
    const host = await proxy.start()
    const client = await site.ready({ host, callTimeout: 200 })
    proxy.isSilent = true
    const [, details] = await next(client, 'state')
    expect(details).to.have.nested.property('error.code', 'connection_lost')
    await until(() => site.sockets.sockets().length === 0)
    const back = next(client, 'reconnect')
    proxy.isSilent = false
    await back
    expect(await client.rpc('echo', 'here again')).to.equal('here again')
  })

  it('is kept while both sides give signs of life, though nobody says anything', async () => {
    const site = await start({ pingInterval: 500, pingTimeout: 1500 })
    proxy = new SilentProxy(site.port)
    const host = await proxy.start()
    const client = await site.ready({ host, callTimeout: 1500 })
    const states: string[] = []
    client.on('state', (state) => states.push(state))
    // Longer than either side would wait for a silent one: the client's leeway alone is a second.
    await new Promise((resolve) => setTimeout(resolve, 4000))
    expect(states).to.deep.equal([])
    expect(site.sockets.sockets()).to.have.length(1)
  })
})

describe('a streaming response that nobody reads', () => {
  const start = useSites()

  /** A session that is let in and reads its stream, or at least does not close it. */
  async function reader(url: string, token: string, version: object) {
    const session = `${url}/sockets/000/${randomUUID()}`
    const stream = await fetch(`${session}/xhr_streaming`, { method: 'POST' })
    const auth = JSON.stringify([JSON.stringify({ rpc: 'auth', token, uuid: 'auth', ...version })])
    await fetch(`${session}/xhr_send`, { method: 'POST', body: auth })
    return stream
  }

  it('is closed when its client says nothing, though the line stays open', async () => {
    const site = await start({ pingInterval: 100, pingTimeout: 100 })
    const stream = await reader(site.url, await site.token(), { version: 1 })
    const text = await stream.text()
    expect(text).to.include('_ping')
    expect(text.trim().split('\n').at(-1)).to.equal('c[4006,"No heartbeat came in time"]')
    await until(() => site.sockets.sockets().length === 0)
  })

  it('is left open for a client that does not say it would answer, as the old one', async () => {
    const site = await start({ pingInterval: 50, pingTimeout: 50 })
    const stream = await reader(site.url, await site.token(), {})
    await until(() => site.sockets.sockets().length === 1)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(site.sockets.sockets()).to.have.length(1)
    await stream.body?.cancel()
    await until(() => site.sockets.sockets().length === 0)
  })

  it('is kept by a client that answers', async () => {
    Object.assign(globalThis, { SockJS })
    const site = await start({ pingInterval: 500, pingTimeout: 1500 })
    const transports = ['xhr-streaming']
    const client = await site.ready({ transports: ['sockjs'], sockjs: { transports } })
    const states: string[] = []
    client.on('state', (state) => states.push(state))
    await new Promise((resolve) => setTimeout(resolve, 4000))
    expect([client.transport, states]).to.deep.equal(['xhr-streaming', []])
    expect(await client.rpc('echo', 'here')).to.equal('here')
    Object.assign(globalThis, { SockJS: undefined })
  })
})
