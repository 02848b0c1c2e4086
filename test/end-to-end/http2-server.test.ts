/** An HTTP/2 server with `allowHTTP1`, and clients of HTTP/1.1. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, createSecureServer } from 'node:http2'
import { expect } from 'chai'
import express from 'express'
import { certificate } from './certificate.js'
import { next, type Site, useSites } from './fixture.js'

describe('an HTTP/2 server as `server`', () => {
  const start = useSites()
  const trust = process.env.NODE_TLS_REJECT_UNAUTHORIZED
  let site: Site

  before(() => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  })

  after(() => {
    if (trust === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = trust
  })

  beforeEach(async () => {
    const app = express()
    const server = createSecureServer({ ...certificate, allowHTTP1: true }, app as never)
    // Its sessions have to end before it closes; an HTTP/1.1 server does so itself.
    Object.assign(server, { closeAllConnections() {} })
    site = await start({ app, server })
  })

  it('gives tokens and opens WebSockets to clients of HTTP/1.1', async () => {
    const client = await site.ready({ host: `https://${site.host}` })
    expect(client.transport).to.equal('websocket')
    expect(await client.rpc('echo', 1)).to.equal(1)
    await client.subscribe('room')
    const message = next(client, 'message')
    await client.publish('room', 'hello')
    expect(await message).to.deep.equal(['room', 'hello'])
  })

  it('answers the health route by HTTP/2, too', async () => {
    const session = connect(`https://${site.host}`)
    const request = session.request({ ':path': '/sockets/health' })
    const [headers] = await once(request, 'response')
    expect(headers[':status']).to.equal(200)
    session.destroy()
  })

  /** How a poll of a page is answered by HTTP/2. */
  async function poll(headers: Readonly<Record<string, string>>): Promise<[status: unknown, body: string]> {
    const session = connect(`https://${site.host}`)
    const path = `/sockets/000/${randomUUID()}/xhr`
    const request = session.request({ ':method': 'POST', ':path': path, ...headers }).setEncoding('utf8')
    request.end()
    let body = ''
    request.on('data', (text) => {
      body += text
    })
    const [answered] = await once(request, 'response')
    await once(request, 'end')
    session.destroy()
    return [answered[':status'], body]
  }

  it('compares the origin of a page with the authority of HTTP/2, which has no Host', async () => {
    expect(await poll({ origin: `https://${site.host}` })).to.deep.equal([200, 'o\n'])
    expect(await poll({ origin: 'https://elsewhere.example' })).to.have.property('0', 403)
    const hints = site.log.map(({ details }) => Object(details).host).filter(Boolean)
    expect(hints).to.deep.equal([site.host])
  })
})
