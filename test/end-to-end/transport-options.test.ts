import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { TransportName } from '@token-socket/server'
import { expect } from 'chai'
import SockJS from 'sockjs-client'
import { next, rejection, type Site, useSites } from './fixture.js'

const ALL: readonly TransportName[] = [
  'websocket',
  'xhr-streaming',
  'xhr-polling',
  'eventsource',
  'jsonp-polling',
  'htmlfile',
  'iframe',
]

describe('options of the server about transports', () => {
  const start = useSites()
  const open: WebSocket[] = []

  afterEach(() => {
    for (const socket of open.splice(0)) socket.close()
  })

  /** A SockJS client of one transport that has said its token; `undefined` if it could not connect. */
  async function sockjs(site: Site, transport: string): Promise<WebSocket | undefined> {
    const socket = new SockJS(`${site.url}/sockets`, null, { transports: [transport] })
    open.push(socket)
    const isOpen = await new Promise((resolve) => {
      socket.onopen = () => resolve(true)
      socket.onclose = () => resolve(false)
    })
    if (!isOpen) return undefined
    const answer = heard(socket)
    socket.send(JSON.stringify({ rpc: 'auth', token: await site.token(), uuid: 'auth' }))
    expect(await answer).to.include({ uuid: 'auth', resp: 'success' })
    return socket
  }

  /** The next message of a SockJS client. */
  async function heard(socket: WebSocket): Promise<Record<string, unknown>> {
    return new Promise((resolve) => {
      socket.onmessage = ({ data }) => resolve(JSON.parse(data))
    })
  }

  const status = async (site: Site, path: string, method = 'GET') =>
    (await fetch(`${site.url}/sockets${path}`, { method })).status

  describe('the `transports` option', () => {
    it('left out, lets clients in by what browsers of today use', async () => {
      const site = await start()
      for (const transport of ['websocket', 'xhr-streaming', 'xhr-polling']) {
        expect(await sockjs(site, transport), transport).to.be.an('object')
      }
      expect(site.sockets.sockets().map((socket) => socket.transport)).to.deep.equal([
        'websocket',
        'xhr-streaming',
        'xhr-polling',
      ])
    })

    it('left out, knows no jsonp-polling, htmlfile and iframe page', async () => {
      const site = await start()
      for (const path of ['/000/a/jsonp?c=f', '/000/a/htmlfile?c=f', '/iframe.html']) {
        expect(await status(site, path), path).to.equal(404)
      }
      expect(await status(site, '/000/a/jsonp_send', 'POST')).to.equal(404)
    })

    it('switches everything on that is named', async () => {
      const site = await start({ transports: ALL })
      expect(await status(site, '/000/a/jsonp?c=f')).to.equal(200)
      expect(await status(site, '/000/b/htmlfile')).to.equal(500)
      expect(await status(site, '/iframe.html')).to.equal(200)
    })

    it('without websocket, has clients come by HTTP', async () => {
      const site = await start({ transports: ['xhr-polling'] })
      const error = await rejection(site.client({ reconnect: false }).ready())
      expect(error.code).to.equal('transport_failed')
      expect(await sockjs(site, 'websocket')).to.equal(undefined)
      const socket = await sockjs(site, 'xhr-polling')
      const answer = socket && heard(socket)
      socket?.send(JSON.stringify({ rpc: 'echo', req: 1, uuid: '1' }))
      expect(await answer).to.include({ uuid: '1', resp: 1 })
    })

    it('with websocket alone, has none come by HTTP', async () => {
      const site = await start({ transports: ['websocket'] })
      expect(await sockjs(site, 'xhr-polling')).to.equal(undefined)
      await site.servesHonestClients()
    })

    it('is refused where it names nothing, or what there is not', async () => {
      for (const transports of [[], ['iframe'], ['carrier-pigeon']]) {
        const error = await rejection(start({ transports: transports as TransportName[] }))
        expect([error.code, error.data]).to.deep.equal(['bad_option', { field: 'transports' }])
      }
    })
  })

  describe('what the server hears of a client that ends', () => {
    // The client's own SockJS is the one for browsers, which finds no transport in Node.
    before(() => void Object.assign(globalThis, { SockJS }))

    after(() => void Reflect.deleteProperty(globalThis, 'SockJS'))

    const ends = async (site: Site, end: () => unknown) => {
      const ended = new Promise((resolve) =>
        site.sockets.on('disconnected', (_socket, reason, { wasClean }) => resolve([reason, wasClean])),
      )
      await end()
      return ended
    }

    for (const end of ['end', 'suspend'] as const) {
      it(`is its close on WebSocket, by ${end}()`, async () => {
        const site = await start()
        const client = await site.ready({ transports: ['websocket'] })
        expect(await ends(site, () => client[end]())).to.deep.equal(['client_closed', true])
      })

      it(`is a loss on SockJS's HTTP transports, by ${end}()`, async () => {
        const site = await start()
        const client = await site.ready({ transports: ['sockjs'], sockjs: { transports: ['xhr-polling'] } })
        expect(await ends(site, () => client[end]())).to.deep.equal(['connection_lost', false])
      })
    }

    for (const transport of ['websocket', 'xhr-streaming', 'xhr-polling']) {
      const [reason, wasClean] =
        transport === 'websocket' ? ['client_closed', true] : ['connection_lost', false]

      it(`is ${reason} from sockjs-client on ${transport}`, async () => {
        const site = await start()
        const socket = await sockjs(site, transport)
        expect(await ends(site, () => socket?.close(1000))).to.deep.equal([reason, wasClean])
      })
    }
  })

  describe('the `sockjsUrl` option', () => {
    const script = async (site: Site) =>
      /<script src="([^"]*)"/.exec(await (await fetch(`${site.url}/sockets/iframe.html`)).text())?.[1]

    it('left out, is a CDN’s', async () => {
      const site = await start({ transports: ALL })
      expect(await script(site)).to.match(/^https:.*\/sockjs-client@1\.6\.1\//)
    })

    it('is the script of the iframe page', async () => {
      const site = await start({ transports: ALL, sockjsUrl: '/js/sockjs.min.js' })
      expect(await script(site)).to.equal('/js/sockjs.min.js')
    })

    it('is refused where it could be more than an address', async () => {
      const error = await rejection(start({ sockjsUrl: '/x.js"></script><script>alert(1)//' }))
      expect([error.code, error.data]).to.deep.equal(['bad_option', { field: 'sockjsUrl' }])
    })
  })

  describe('the `serveClient` option', () => {
    it('left out, has the server look for the client’s script', async () => {
      const site = await start()
      const response = await fetch(`${site.url}/sockets/token-socket.min.js`)
      const text = await response.text()
      if (response.ok) expect(text).to.include('TokenSocket')
      else expect(text).to.include('@token-socket/client')
      expect(await status(site, '/package.json')).to.equal(404)
    })

    it('switches it off', async () => {
      const site = await start({ serveClient: false })
      const response = await fetch(`${site.url}/sockets/token-socket.min.js`)
      expect([response.status, await response.text()]).to.deep.equal([404, 'Not found\n'])
    })
  })

  describe('the `perMessageDeflate` option', () => {
    /** Bytes by which the server answers a call with a large answer. */
    async function answerSize(site: Site): Promise<number> {
      const accepted: Socket[] = []
      site.http.on('connection', (socket) => accepted.push(socket))
      const client = await site.ready()
      const before = accepted.map((socket) => socket.bytesWritten)
      expect(await client.rpc('echo', 'x'.repeat(500_000))).to.have.length(500_000)
      return accepted.reduce((sum, socket, index) => sum + socket.bytesWritten - (before[index] ?? 0), 0)
    }

    it('left out, compresses nothing', async () => {
      expect(await answerSize(await start())).to.be.above(500_000)
    })

    it('compresses for clients that offer it, in order and both ways', async () => {
      const site = await start({ perMessageDeflate: true, limits: { publication: 200_002 } })
      expect(await answerSize(site)).to.be.below(50_000)
      const client = await site.ready()
      const sizes = [200_000, 1, 100_000, 2, 50_000]
      const order: number[] = []
      client.on('message', (_channel, text) => order.push((text as string).length))
      await client.subscribe('sizes')
      for (const size of sizes) await client.publish('sizes', 'x'.repeat(size))
      while (order.length < sizes.length) await next(client, 'message')
      expect(order).to.deep.equal(sizes)
      await site.servesHonestClients()
    })

    it('is refused where it is no setting', async () => {
      for (const perMessageDeflate of ['yes' as never, { serverMaxWindowBits: 99 }]) {
        const error = await rejection(start({ perMessageDeflate }))
        expect([error.code, error.data]).to.deep.equal(['bad_option', { field: 'perMessageDeflate' }])
      }
    })
  })

  describe('the `limits.message` option', () => {
    it('lets SockJS’s client join small messages in one body that is larger', async () => {
      const site = await start({ limits: { message: 1000 } })
      const bodies: number[] = []
      const read = new Map<unknown, number>()
      const { emit } = site.http
      site.http.emit = function (this: unknown, event: string, ...args: unknown[]) {
        const [request] = args as [IncomingMessage]
        if (event === 'request' && request.url?.endsWith('/xhr_send')) {
          // Not by `data` listeners: the server reads the body.
          const { socket } = request
          const before = read.get(socket) ?? 0
          request.once('end', () => {
            read.set(socket, socket.bytesRead)
            bodies.push(socket.bytesRead - before)
          })
        }
        return Reflect.apply(emit, site.http, [event, ...args])
      } as typeof emit
      const socket = await sockjs(site, 'xhr-polling')
      if (!socket) throw new Error('not open')
      const answered = new Set<unknown>()
      const all = new Promise<void>((resolve) => {
        socket.onmessage = ({ data }) => {
          answered.add(JSON.parse(data).resp)
          if (answered.size === 50) resolve()
        }
      })
      for (let index = 0; index < 50; index += 1) {
        socket.send(JSON.stringify({ rpc: 'echo', req: `${index} ${'"'.repeat(300)}`, uuid: String(index) }))
      }
      await all
      expect(Math.max(...bodies)).to.be.above(1000)
    })
  })
})
