/** Time-outs of the HTTP server, all of them shorter than polls and streams last. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { expect } from 'chai'
import express from 'express'
import { WebSocket } from 'ws'
import { inNodeOnly } from '../only-in.js'
import { useSites } from './fixture.js'

/** Milliseconds. */
const SHORT = 250

/** Milliseconds between heartbeats: by the first, each of the time-outs has passed twice. */
const HEARTBEAT = 600

/** What opens a session, by transport, and its heartbeat. Polls carry one frame each. */
const TRANSPORTS = [
  ['xhr-streaming', 'POST', 'xhr_streaming', 'h\n'],
  ['eventsource', 'GET', 'eventsource', 'data: h\r\n'],
  ['htmlfile', 'GET', 'htmlfile?c=f', 'p("h")'],
  ['xhr-polling', 'POST', 'xhr', 'h\n'],
  ['jsonp-polling', 'GET', 'jsonp?c=f', 'f("h")'],
] as const

describe('time-outs of the HTTP server', () => {
  const start = useSites()

  async function site(keepAliveTimeout = SHORT) {
    const app = express()
    app.get('/hang', () => {})
    const server = createServer({ connectionsCheckingInterval: SHORT }, app)
    server.setTimeout(SHORT)
    server.requestTimeout = SHORT
    server.headersTimeout = SHORT
    server.keepAliveTimeout = keepAliveTimeout
    const transports = ['websocket', ...TRANSPORTS.map(([name]) => name)] as const
    return start({ app, server, transports, pingInterval: HEARTBEAT })
  }

  /** Asks, and resolves with all that comes until a text has come that often, or with what came until the end. */
  async function read(url: string, method: string, until: RegExp, times: number): Promise<string> {
    const sent = request(url, { method, agent: false })
    const [response] = (await once(sent.end(), 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of response) {
      text += String(chunk)
      if ((text.match(until) ?? []).length >= times) break
    }
    sent.destroy()
    return text
  }

  for (const [name, method, end, heartbeat] of TRANSPORTS) {
    it(`do not cut ${name}`, async () => {
      const { url } = await site()
      const session = `${url}/sockets/000/${crypto.randomUUID()}/${end}`
      const pattern = new RegExp(heartbeat.replace(/[()]/g, '\\$&'), 'g')
      const isPoll = name.endsWith('polling')
      if (isPoll) await read(session, method, pattern, 1)
      const count = isPoll ? 1 : 3
      const text = await read(session, method, pattern, count)
      expect(text.match(pattern)).to.have.length(count)
    })
  }

  for (const keepAliveTimeout of [SHORT, 0])
    inNodeOnly('other runtimes have time-outs of their own').it(
      `cut what follows on the connection of a poll, with a keepAliveTimeout of ${keepAliveTimeout}`,
      async () => {
        const { port } = await site(keepAliveTimeout)
        const connection = connect(port, '127.0.0.1')
          .setEncoding('utf8')
          .on('error', () => {})
        const head = 'HTTP/1.1\r\nHost: localhost\r\n'
        connection.write(`POST /sockets/000/${crypto.randomUUID()}/xhr ${head}Content-Length: 0\r\n\r\n`)
        let text = ''
        connection.on('data', (part) => {
          text += part
          if (/\no\n/.test(text)) connection.write(`GET /hang ${head}\r\n`)
        })
        await once(connection, 'close')
        expect(text).to.include('o\n')
      },
    )

  inNodeOnly('the HTTP server of Bun cuts what it upgraded').it('do not cut WebSockets', async () => {
    const { url } = await site()
    const socket = new WebSocket(`${url.replace('http', 'ws')}/sockets/000/a/websocket`)
    const frames: string[] = []
    await new Promise<void>((resolve, reject) => {
      socket.onmessage = ({ data }) => {
        frames.push(String(data))
        if (frames.length === 4) resolve()
      }
      socket.onclose = () => reject(new Error('it was cut'))
    })
    expect(frames).to.deep.equal(['o', 'h', 'h', 'h'])
    socket.onclose = null
    socket.close()
  })
})
