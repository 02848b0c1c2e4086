import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import { WebSocketServer } from 'ws'
import { isBun } from '../only-in.js'
import { errorOf } from './waiting.js'

/** A server on a port of its own. */
interface Site {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** What a test needs of a failure: where it comes from, and what the error has to name. */
interface Failure {
  readonly options: (site: Site) => TokenSocketOptions
  readonly code: string
  /** In the text: the step or the URL, and why. */
  readonly names: readonly RegExp[]
  /** In the causes. */
  readonly cause?: RegExp
}

const TOKEN = /\/socket\/token/
const SOCKET = /websocket failed: ws:\/\/127\.0\.0\.1:\d+\/sockets\/websocket: /

const HTML: RequestListener = (_, response) => response.end('<h1>Log in</h1>')
const status =
  (code: number, body = ''): RequestListener =>
  (_, response) =>
    response.writeHead(code).end(body)

/** Bun sees only that the connection was closed. From Node 24 on the error has no code. */
const NO_HTTP = isBun ? /ECONNRESET/ : /HPE_INVALID|does not match the HTTP\/1\.1 protocol/

/** The code of a handshake that fails. */
const NO_TLS = isBun ? /EPROTO/ : /ERR_SSL/

describe('why a connection failed', () => {
  let site: Site

  afterEach(() => site.stop())

  async function listen(server: Server): Promise<void> {
    const sockets = new Set<Socket>()
    server.on('connection', (socket: Socket) => sockets.add(socket))
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as AddressInfo
    const stop = () => {
      for (const socket of sockets) socket.destroy()
      return new Promise<void>((resolve) => void server.close(() => resolve()))
    }
    site = { url: `http://127.0.0.1:${port}`, stop }
  }

  /** A token route, and nothing that a socket could connect to. */
  async function http(respond: RequestListener): Promise<void> {
    await listen(createServer(respond))
  }

  /** Something else: speaks no HTTP. */
  async function tcp(): Promise<void> {
    await listen(createTcpServer((socket) => void socket.on('error', () => {}).end('SSH-2.0-x\r\n')))
  }

  /** Lets a socket in, and then says nothing. */
  async function silent(): Promise<void> {
    const server = createServer()
    new WebSocketServer({ server })
    await listen(server)
  }

  async function nothing(): Promise<void> {
    await http(HTML)
    await site.stop()
    site = { ...site, stop: async () => {} }
  }

  const own = ({ url: host }: Site) => ({ host, token: 'a.b.c' })
  const route = ({ url: host }: Site) => ({ host })
  const secure = ({ url }: Site) => ({ host: url.replace('http', 'https') })

  const failures: Readonly<Record<string, readonly [start: () => Promise<void>, Failure]>> = {
    'nothing listens': [
      nothing,
      { options: route, code: 'token_failed', names: [TOKEN, /ECONNREFUSED/], cause: /ECONNREFUSED/ },
    ],
    'nothing listens, with a token': [
      nothing,
      { options: own, code: 'transport_failed', names: [SOCKET, /ECONNREFUSED/], cause: /ECONNREFUSED/ },
    ],
    'no such host': [
      nothing,
      {
        options: () => ({ host: 'http://nowhere.invalid' }),
        code: 'token_failed',
        names: [/http:\/\/nowhere\.invalid\/socket\/token/, /ENOTFOUND|EAI_AGAIN/],
        cause: /ENOTFOUND|EAI_AGAIN/,
      },
    ],
    'no such host, with a token': [
      nothing,
      {
        options: () => ({ host: 'http://nowhere.invalid', token: 'x' }),
        code: 'transport_failed',
        names: [/ws:\/\/nowhere\.invalid\/sockets\/websocket/, /ENOTFOUND|EAI_AGAIN/],
        cause: /ENOTFOUND|EAI_AGAIN/,
      },
    ],
    'no HTTP server': [
      tcp,
      { options: route, code: 'token_failed', names: [TOKEN, NO_HTTP], cause: NO_HTTP },
    ],
    'no HTTPS server': [
      () => http(HTML),
      { options: secure, code: 'token_failed', names: [/https:.*\/socket\/token/, NO_TLS], cause: NO_TLS },
    ],
    'no HTTPS server, with a token': [
      () => http(HTML),
      {
        options: (to) => ({ ...secure(to), token: 'x' }),
        code: 'transport_failed',
        names: [/wss:.*\/sockets\/websocket/, /ssl|SSL/],
        cause: /ssl|SSL/,
      },
    ],
    'no token route': [
      () => http(status(404)),
      { options: route, code: 'token_refused', names: [TOKEN, /404/] },
    ],
    'a user who is not signed in': [
      () => http(status(403, '{"error":"Forbidden","code":"forbidden"}')),
      { options: route, code: 'token_refused', names: [/^Forbidden,/, /403/, TOKEN] },
    ],
    'an origin that is not allowed': [
      () => http(status(403, '{"error":"The origin is not allowed","code":"origin_refused"}')),
      { options: route, code: 'origin_refused', names: [/^The origin is not allowed,/, TOKEN] },
    ],
    'a proxy whose server is away': [
      () => http(status(502, '<h1>Bad gateway</h1>')),
      { options: route, code: 'token_failed', names: [TOKEN, /502/] },
    ],
    'a login page': [() => http(HTML), { options: route, code: 'token_failed', names: [TOKEN, /not JSON/] }],
    'a wrong prefix': [
      () => http(HTML),
      { options: own, code: 'transport_failed', names: [SOCKET, /200/], cause: /200/ },
    ],
    'no prefix': [
      () => http(status(404)),
      { options: own, code: 'transport_failed', names: [SOCKET, /404/], cause: /404/ },
    ],
    'a prefix that is forbidden': [
      () => http(status(403)),
      { options: own, code: 'transport_failed', names: [SOCKET, /403/], cause: /403/ },
    ],
    'a token route without an answer': [
      () => http(() => {}),
      {
        options: (to) => ({ ...route(to), connectTimeout: 50 }),
        code: 'token_failed',
        names: [TOKEN, /in time/],
      },
    ],
    'a server that says nothing to the token': [
      silent,
      {
        options: (to) => ({ ...own(to), connectTimeout: 200 }),
        code: 'timeout',
        names: [/^websocket: no answer to the sign-in/, /ws:\/\/127\.0\.0\.1:\d+\/sockets\/websocket$/],
      },
    ],
  }

  function causesOf(error: unknown): string {
    if (!(error instanceof Error)) return ''
    const { code, errors } = error as { code?: string; errors?: readonly unknown[] }
    return [error.message, code, ...(errors ?? []).map(causesOf), causesOf(error.cause)].join(' ')
  }

  for (const [what, [start, { options, code, names, cause }]] of Object.entries(failures)) {
    it(`is in the error: ${what}`, async () => {
      await start()
      const socket = new TokenSocket({ reconnect: false, logLevel: 'none', ...options(site) })
      const error = await errorOf(socket.ready())
      expect(error.code, error.message).to.equal(code)
      for (const name of names) expect(error.message).to.match(name)
      if (cause) expect(causesOf((error as Error).cause)).to.match(cause)
      expect(error.message).not.to.match(/undefined|\[object/)
    })
  }
})
