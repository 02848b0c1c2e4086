/** Each refusal of the server leaves one line: its level, its text, and the names, the user and the reason in it. */
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import type { TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import express from 'express'
import { WebSocket } from 'ws'
import { type LogLine, type Site, type SiteOptions, until, useSites } from './fixture.js'

const UID = 'ann-77'

/** Lines that are there without any refusal, or follow from a socket's end. */
const EVERYDAY =
  /^(a socket is ready|a socket has ended|no secret is set|there are no channel rules|a connection ended before|a request was answered)/

interface Refusal {
  readonly options?: SiteOptions
  /** Does what is refused. */
  act(site: Site): Promise<unknown>
  readonly level: LogLine['level']
  readonly message: string
  readonly details: Record<string, unknown>
}

/** What a client's call rejects with is no matter here. */
const asClient = (act: (client: TokenSocket) => unknown) => async (site: Site) => {
  const { client } = await site.pair({ reconnect: false })
  await Promise.resolve(act(client)).catch(() => {})
}

const times = (count: number, act: () => Promise<unknown>) =>
  Promise.allSettled(Array.from({ length: count }, act))

/** A request about a channel that is refused. */
const refused = (details: object): Pick<Refusal, 'level' | 'message' | 'details'> => ({
  level: 'debug',
  message: 'a request was refused',
  details: { uid: UID, code: 'forbidden', ...details },
})

const limit = (details: object): Pick<Refusal, 'level' | 'message' | 'details'> => ({
  level: 'info',
  message: 'a limit was reached',
  details: { uid: UID, ...details },
})

/** An upgrade with headers of its own. */
const upgrade =
  (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  async (site: Site) => {
    const request = httpRequest(`${site.url}${path}`, {
      method,
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    })
    request.end()
    const [response] = await once(request, 'response')
    response.resume()
    return response.statusCode
  }

const fetches =
  (path: string, init: RequestInit = {}) =>
  async (site: Site) => {
    await (await fetch(site.url + path, init)).text()
  }

/** What a stranger sends first. */
const first = (send: (socket: WebSocket) => void) => async (site: Site) => {
  const socket = new WebSocket(`ws://${site.host}/sockets/websocket`)
  await once(socket, 'open')
  send(socket)
  await once(socket, 'close')
}

/** A session of SockJS that polls, and what is posted to it then. */
const posts =
  (body: string, headers: Record<string, string> = {}) =>
  async (site: Site) => {
    await fetches('/sockets/000/stranger/xhr', { method: 'POST' })(site)
    await fetches('/sockets/000/stranger/xhr_send', { method: 'POST', body, headers })(site)
  }

const claims = (channels: object) => ({ authentication: () => ({ uid: UID, channels }) })

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'a call of an unknown function': {
    act: asClient((client) => client.rpc('orders.lst')),
    ...refused({ type: 'call', function: 'orders.lst', code: 'not_found' }),
  },
  'a call too many': {
    options: { limits: { callsIn: 1 } },
    act: asClient((client) => Promise.race([client.rpc('hang'), client.rpc('hang')])),
    ...limit({ type: 'call', function: 'hang', code: 'too_many_calls' }),
  },
  'a message too many': {
    options: { limits: { rate: 2 } },
    act: asClient((client) => times(4, () => client.rpc('echo'))),
    ...limit({ type: 'call', function: 'echo', code: 'too_many_messages' }),
  },
  'a wrong message': {
    act: async (site) => {
      const peer = await site.member()
      peer.send({ rpc: '_subscribe', uuid: '1', req: { channel: 5 } })
      await until(() => peer.frames.some(({ uuid }) => uuid === '1'))
    },
    ...refused({ type: 'message', function: '_subscribe', code: 'bad_message' }),
  },
  'a name that is too long': {
    act: async (site) => {
      const peer = await site.member()
      peer.send({ rpc: '_subscribe', uuid: '1', req: { channel: 'c'.repeat(5000) } })
      await until(() => peer.frames.some(({ uuid }) => uuid === '1'))
    },
    ...limit({ type: 'message', function: '_subscribe', code: 'too_long' }),
  },
  'a subscription that nothing allows': {
    options: { channels: { open: { subscribe: true } } },
    act: asClient((client) => client.subscribe('room-71')),
    ...refused({ type: 'subscribe', channel: 'room-71', by: 'nothing allows it' }),
  },
  'a subscription that a rule refuses': {
    options: { channels: { 'room-*': { subscribe: () => false } } },
    act: asClient((client) => client.subscribe('room-71')),
    ...refused({ type: 'subscribe', channel: 'room-71', by: 'rules' }),
  },
  'a subscription that claims refuse': {
    options: claims({ 'room-71': { subscribe: false } }),
    act: asClient((client) => client.subscribe('room-71')),
    ...refused({ type: 'subscribe', channel: 'room-71', by: 'claims' }),
  },
  'a subscription that a listener refuses': {
    act: async (site) => {
      site.sockets.on('subscribe', () => false)
      await asClient((client) => client.subscribe('room-71'))(site)
    },
    ...refused({ type: 'subscribe', channel: 'room-71', by: 'listener' }),
  },
  'a subscription too many': {
    options: { limits: { subscriptions: 1 } },
    act: asClient(async (client) => {
      await client.subscribe('a')
      await client.subscribe('room-71')
    }),
    ...limit({ type: 'subscribe', channel: 'room-71', code: 'too_many_subscriptions' }),
  },
  'a publication that a rule refuses': {
    options: { channels: { '*': { subscribe: true, publish: false } } },
    act: asClient((client) => client.publish('room-72', 1)),
    ...refused({ type: 'publish', channel: 'room-72', by: 'rules' }),
  },
  'a publication that claims refuse': {
    options: claims({ 'room-72': { messages: { chat: { publish: false } } } }),
    act: asClient((client) => client.publish('room-72', 1, { event: 'chat' })),
    ...refused({ type: 'publish', channel: 'room-72', by: 'claims' }),
  },
  'a publication that a listener refuses': {
    act: async (site) => {
      site.sockets.on('publish', () => false)
      await asClient((client) => client.publish('room-72', 1))(site)
    },
    ...refused({ type: 'publish', channel: 'room-72', by: 'listener' }),
  },
  'a publication that is too large': {
    options: { limits: { publication: 10 } },
    act: asClient((client) => client.publish('room-72', 'x'.repeat(20))),
    ...limit({ type: 'publish', channel: 'room-72', code: 'too_large' }),
  },
  'a publication too many': {
    options: { limits: { publicationRate: 1 } },
    act: asClient((client) => times(4, () => client.publish('room-72', 1))),
    ...limit({ type: 'publish', channel: 'room-72', code: 'too_many_messages' }),
  },
  'a broadcast that a rule refuses': {
    options: { channels: { a: { publish: true } } },
    act: asClient((client) => client.broadcast(1)),
    ...refused({ type: 'broadcast', by: 'nothing allows it' }),
  },
  'a broadcast too many': {
    options: { limits: { broadcastRate: 1 } },
    act: asClient((client) => times(4, () => client.broadcast(1))),
    ...limit({ type: 'broadcast', code: 'too_many_messages' }),
  },
  'a history that nothing allows': {
    options: { channels: { open: { subscribe: true } } },
    act: asClient((client) => client.history('room-73')),
    ...refused({ type: 'history', channel: 'room-73', by: 'nothing allows it' }),
  },
  'an unsubscription that a listener refuses': {
    act: async (site) => {
      site.sockets.on('unsubscribe', () => false)
      await asClient(async (client) => {
        await client.subscribe('room-74')
        await client.unsubscribe('room-74')
      })(site)
    },
    ...refused({ type: 'unsubscribe', channel: 'room-74', by: 'listener' }),
  },
  'a sign-in that a listener refuses': {
    act: async (site) => {
      site.sockets.on('authentication', () => false)
      await site
        .client({ reconnect: false })
        .ready()
        .catch(() => {})
    },
    level: 'info',
    message: 'an authentication listener, or a middleware, refused a socket',
    details: { uid: UID, code: 'forbidden' },
  },
  'an origin, on the token route': {
    act: (site) => site.askToken({ headers: { Origin: 'https://evil.example' } }),
    level: 'warn',
    message: 'an origin was refused',
    details: { option: 'origins', origin: 'https://evil.example', path: '/socket/token' },
  },
  'an origin, on an upgrade': {
    act: upgrade('/sockets/websocket', { Origin: 'https://evil.example' }),
    level: 'warn',
    message: 'an origin was refused',
    details: { option: 'origins', origin: 'https://evil.example', path: '/sockets/websocket' },
  },
  'an origin, on a request of SockJS': {
    act: fetches('/sockets/info', { headers: { Origin: 'https://evil.example' } }),
    level: 'warn',
    message: 'an origin was refused',
    details: { option: 'origins', origin: 'https://evil.example', path: '/sockets/info' },
  },
  'a token request of a user who is not signed in': {
    options: { authentication: () => false },
    act: (site) => site.askToken(),
    level: 'debug',
    message: 'a token request is refused: authentication refuses',
    details: { ip: '127.0.0.1' },
  },
  'a token request that fails': {
    options: { authentication: () => Promise.reject(new Error('db down')) },
    act: (site) => site.askToken(),
    level: 'error',
    message: 'a token request failed: authentication threw',
    details: { option: 'authentication' },
  },
  'a token request whose user is too large': {
    options: { limits: { authData: 10 } },
    act: (site) => site.askToken(),
    level: 'error',
    message: 'a token request failed',
    details: {},
  },
  'a token request with a callback that is no name': {
    act: fetches('/socket/token?callback=a%20b', { headers: { Referer: 'http://127.0.0.1' } }),
    options: { origins: '*' },
    level: 'info',
    message: 'a token request is refused: its JSONP callback is no name of a function',
    details: { ip: '127.0.0.1' },
  },
  'an upgrade under another prefix': {
    act: upgrade('/socket/websocket'),
    level: 'warn',
    message: 'an upgrade was refused',
    details: { status: '404 Not Found', path: '/socket/websocket', prefix: '/sockets' },
  },
  'an upgrade to what is no transport': {
    act: upgrade('/sockets/000/abc/xhr'),
    level: 'info',
    message: 'an upgrade was refused',
    details: { status: '404 Not Found', path: '/sockets/000/abc/xhr' },
  },
  'an upgrade to another version': {
    act: upgrade('/sockets/websocket', { 'Sec-WebSocket-Version': '8' }),
    level: 'info',
    message: 'an upgrade was refused',
    details: { status: '400 Bad Request' },
  },
  'an upgrade by POST': {
    act: upgrade('/sockets/websocket', {}, 'POST'),
    level: 'info',
    message: 'an upgrade was refused',
    details: { status: '405 Method Not Allowed' },
  },
  'an upgrade with a URL that is too long': {
    act: upgrade(`/sockets/websocket?${'x'.repeat(3000)}`),
    level: 'info',
    message: 'an upgrade was refused',
    details: { status: '414 URI Too Long' },
  },
  'a connection too many': {
    options: { limits: { connections: 1 } },
    act: async (site) => {
      await site.member()
      await upgrade('/sockets/websocket')(site)
    },
    level: 'warn',
    message: 'a limit of connections is reached',
    details: { option: 'limits.connections', limit: 1 },
  },
  'a connection of an address too many': {
    options: { limits: { connectionsPerAddress: 1 } },
    act: async (site) => {
      await site.member()
      await fetches('/sockets/000/abc/xhr', { method: 'POST' })(site)
    },
    level: 'warn',
    message: 'a limit of connections is reached',
    details: { option: 'limits.connectionsPerAddress', limit: 1, address: '127.0.0.1' },
  },
  'a request to what is no transport': {
    act: fetches('/sockets/000/abc/nothing', { method: 'POST' }),
    level: 'info',
    message: 'a request was refused by the gate',
    details: { status: 404, method: 'POST', path: '/sockets/000/abc/nothing' },
  },
  'a request to a session that is not there': {
    act: fetches('/sockets/000/abc/xhr_send', { method: 'POST', body: '["x"]' }),
    level: 'info',
    message: 'a request was refused by the gate',
    details: { status: 404, reason: 'no such session' },
  },
  'a request with a URL that is too long': {
    act: fetches(`/sockets/info?${'x'.repeat(3000)}`),
    level: 'info',
    message: 'a request was refused by the gate',
    details: { status: 414 },
  },
  'a body that is too large': {
    act: posts(JSON.stringify(['x'.repeat(100_000)])),
    level: 'info',
    message: 'a request body was refused',
    details: { status: 413, reason: 'too_large', address: '127.0.0.1' },
  },
  'a first message that is no token': {
    act: first((socket) => socket.send('{"rpc":"echo","uuid":"1"}')),
    level: 'info',
    message: 'a connection was refused',
    details: { code: 4500, reason: 'auth_required', transport: 'websocket' },
  },
  'a first message that is too large': {
    act: first((socket) => socket.send('x'.repeat(10_000))),
    level: 'info',
    message: 'a connection was refused',
    details: { code: 4501, reason: 'too_large' },
  },
  'a first message that is not text': {
    act: first((socket) => socket.send(Buffer.from('x'))),
    level: 'info',
    message: 'a connection was refused',
    details: { code: 1003 },
  },
  'a connection without a token in time': {
    options: { authTimeout: 10 },
    act: first(() => {}),
    level: 'info',
    message: 'a connection was refused',
    details: { code: 4003, reason: 'auth_timeout' },
  },
  'a token that is no good': {
    act: first((socket) => socket.send('{"rpc":"auth","token":"garbage","uuid":"1"}')),
    level: 'info',
    message: 'a token was refused',
    details: {},
  },
  'a socket with too many wrong messages': {
    options: { limits: { wrongMessages: 1 } },
    act: async (site) => {
      const peer = await site.member()
      peer.sendTexts('x')
      await until(() => peer.frames.length > 1)
      site.log.splice(0)
      peer.sendTexts('x')
      await peer.closed
    },
    level: 'info',
    message: 'sockets end that neither side wanted to end',
    details: { uid: UID, code: 4503, reason: 'bad_messages' },
  },
  'an automatic subscription that cannot be made': {
    options: {
      ...claims({ a: { autoSubscribe: true }, b: { autoSubscribe: true } }),
      limits: { subscriptions: 1 },
    },
    act: asClient((client) => client.rpc('echo')),
    level: 'info',
    message: 'an automatic subscription was refused',
    details: { uid: UID, channel: 'b', code: 'too_many_subscriptions' },
  },
}

describe('each refusal leaves one line', () => {
  const start = useSites()
  const environment = process.env.NODE_ENV
  before(() => {
    process.env.NODE_ENV = 'production'
  })
  after(() => {
    if (environment === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = environment
  })

  for (const [what, { options = {}, act, level, message, details }] of Object.entries(REFUSALS)) {
    it(`of ${what}`, async () => {
      const site = await start({ app: express(), authentication: () => ({ uid: UID }), ...options })
      // Lines of sockjs have a `severity`.
      const lines = () =>
        site.log.filter(({ message, details }) => !EVERYDAY.test(message) && !('severity' in details))
      await act(site)
      await until(() => lines().length > 0)
      expect(lines().map((line) => [line.level, line.message])).to.deep.equal([[level, message]])
      expect(lines()[0]?.details).to.deep.include(details)
      if (details.uid !== undefined && level === 'debug') expect(lines()[0]?.details.sid).to.be.a('string')
    })
  }

  it('of an upgrade under another prefix: not where another WebSocket server takes it', async () => {
    const site = await start({ app: express() })
    site.http.on('upgrade', (request, socket) => {
      if (request.url === '/hot') socket.end('HTTP/1.1 418 Taken\r\nConnection: close\r\n\r\n')
    })
    const socket = connect(site.port, '127.0.0.1')
    socket.write('GET /hot HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect(String((await once(socket, 'data'))[0])).to.match(/^HTTP\/1\.1 418/)
    socket.destroy()
    expect(site.log.filter(({ message }) => message === 'an upgrade was refused')).to.deep.equal([])
  })
})
