import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { expect } from 'chai'
import express from 'express'
import SockJS from 'sockjs-client'
import type { ReverseProxy } from '../browser/reverse-proxy.js'
import { applicationCode, documentedProxies, PATH, type PathRule } from './documented-proxies.js'
import { useSites } from './fixture.js'

const OWN_PATHS = { prefix: `${PATH}/sockets`, tokenRoute: `${PATH}/socket/token` }

/** More than nginx takes by default, and less than a message may have. */
const LARGE = 'x'.repeat(1_100_000)

describe('docs/PROXIES.md', () => {
  const start = useSites()
  const proxies: ReverseProxy[] = []

  // The client's own is the one for browsers, which finds no transport in Node.
  before(() => void Object.assign(globalThis, { SockJS }))
  after(() => void Reflect.deleteProperty(globalThis, 'SockJS'))
  afterEach(() => Promise.all(proxies.splice(0).map((proxy) => proxy.close())))

  /** A site behind a proxy, which it trusts as the document says. @returns its address, as browsers have it */
  async function behind(name: string, rule: PathRule) {
    const app = express()
    const server = createServer(app)
    new Function('app', 'server', applicationCode())(app, server)
    expect([app.get('trust proxy'), server.keepAliveTimeout]).to.deep.equal(['loopback', 75_000])
    const site = await start({
      app,
      server,
      limits: { message: 2 * 1024 * 1024 },
      connectionHeaders: ['x-forwarded-proto'],
      ...(rule === 'passes it on' && OWN_PATHS),
    })
    const open = documentedProxies[name]
    if (!open) throw new Error(`no proxy ${name}`)
    const proxy = await open(site.port, rule)
    proxies.push(proxy)
    const origin = proxy.origin
    return { site, origin, url: rule === 'at the root' ? origin : `${origin}${PATH}` }
  }

  for (const name of Object.keys(documentedProxies)) {
    describe(`${name}, with the document’s text`, () => {
      for (const transport of ['websocket', 'xhr-streaming', 'xhr-polling', 'eventsource']) {
        it(`lets a page’s client connect by ${transport}, and names it to the server`, async () => {
          const { site, origin, url } = await behind(name, 'at the root')
          const isPlain = transport === 'websocket'
          const client = site.client({
            host: url,
            headers: { Origin: origin },
            transports: isPlain ? ['websocket'] : ['sockjs'],
            sockjs: { transports: [transport] },
          })
          await client.ready()
          expect(client.transport).to.equal(transport)
          expect(await client.rpc('echo', LARGE)).to.equal(LARGE)
          const [socket] = site.sockets.sockets()
          expect(socket?.meta).to.deep.include({ ip: '127.0.0.1' })
          expect(socket?.meta.headers).to.deep.equal({ 'x-forwarded-proto': 'http' })
        })
      }

      it('passes on what a stream sends at once', async () => {
        const { url } = await behind(name, 'at the root')
        const sent = request(`${url}/sockets/000/${crypto.randomUUID()}/xhr_streaming`, { method: 'POST' })
        const [response] = await once(sent.end(), 'response')
        let text = ''
        for await (const chunk of response) {
          text += String(chunk)
          if (text.endsWith('o\n')) break
        }
        expect(text).to.match(/^h{2048}\no\n$/)
        sent.destroy()
      })

      it('tells the address of the client, which it cannot make up', async () => {
        const { site, url } = await behind(name, 'at the root')
        const lines: unknown[] = []
        site.app.get('/ip', ({ ip, ips, protocol }, response) => void response.json({ ip, ips, protocol }))
        const headers = { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https' }
        lines.push(await (await fetch(`${url}/ip`)).json())
        expect(lines).to.deep.equal([{ ip: '127.0.0.1', ips: ['127.0.0.1'], protocol: 'http' }])
        const told = (await (await fetch(`${url}/ip`, { headers })).json()) as { protocol: string }
        expect(told.protocol).to.equal('http')
      })

      for (const rule of ['takes it away', 'passes it on'] as const) {
        it(`serves an application below a path: ${rule}`, async () => {
          const { site, origin, url } = await behind(name, rule)
          const paths = { tokenPath: `${PATH}/socket/token`, socketPrefix: `${PATH}/sockets` }
          for (const where of [{ host: url }, { host: origin, ...paths }])
            for (const way of [
              { transports: ['websocket'] as const },
              { transports: ['sockjs'] as const, sockjs: { transports: ['xhr-polling'] } },
            ]) {
              const client = site.client({ ...where, ...way, headers: { Origin: origin } })
              expect(await client.rpc('echo', 1)).to.equal(1)
            }
          for (const file of ['token-socket.min.js', 'health'])
            expect((await fetch(`${url}/sockets/${file}`)).status, file).to.equal(200)
        })
      }
    })
  }

  it('has the configuration of Vite that is run as that of docs/BUNDLERS.md', () => {
    const bundlers = readFileSync(new URL('../../docs/BUNDLERS.md', import.meta.url), 'utf8')
    const [vite] = /```js\n\/\/ vite\.config\.js\n[\s\S]*?```/.exec(bundlers) ?? []
    const own = readFileSync(new URL('../../docs/PROXIES.md', import.meta.url), 'utf8')
    expect(own).to.include(vite)
  })
})
