import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import express from 'express'
import { type Site, useSites } from './fixture.js'
import { OPCODES, RawWebSocket } from './raw-websocket.js'

/** Every path below a session that answers requests, and how it is asked. */
const TRANSPORTS = [
  ['POST', 'xhr'],
  ['POST', 'xhr_streaming'],
  ['POST', 'xhr_send'],
  ['GET', 'eventsource'],
  ['GET', 'htmlfile?c=callback'],
  ['GET', 'jsonp?c=callback'],
  ['POST', 'jsonp_send'],
] as const

/** All that are on, also those that are off by default. */
const EVERY = [
  'websocket',
  'xhr-streaming',
  'xhr-polling',
  'eventsource',
  'jsonp-polling',
  'htmlfile',
] as const

/** Those that receive. */
const RECEIVERS = TRANSPORTS.filter(([, transport]) => !transport.endsWith('_send'))

/** What an intruder says. */
const INJECTED = JSON.stringify([JSON.stringify({ rpc: 'note', req: 'injected', uuid: '1' })])

interface Ask {
  readonly method?: string
  readonly body?: string
  /** Where the request comes from: every address of 127.0.0.0/8 is this machine. */
  readonly from?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A request from an address of one's choice. */
async function ask(url: string, { method = 'POST', body = '', from = '127.0.0.1', headers = {} }: Ask = {}) {
  const sent = request(url, { method, localAddress: from, agent: false, headers })
  const [response] = (await once(sent.end(body), 'response')) as [IncomingMessage]
  // A stream that is let in does not end.
  if (response.statusCode !== 200) return { status: response.statusCode, body: await text(response) }
  const [first] = (await once(response, 'data')) as [Buffer]
  sent.destroy()
  return { status: response.statusCode, body: String(first) }
}

describe('a polling session of somebody else', () => {
  const start = useSites()
  const heard: unknown[] = []

  beforeEach(() => heard.splice(0))

  /** A site with one polling session, from 127.0.0.1, that is let in and subscribed. */
  async function victim(app = express(), headers: Readonly<Record<string, string>> = {}) {
    const socketController = {
      note: (_auth: unknown, data: unknown) => void heard.push(data),
      echo: (_auth: unknown, data: unknown) => data,
    }
    const site = await start({ app, socketController, transports: EVERY })
    const url = `${site.url}/sockets/000/its-id-is-known`
    const own = (transport: string, ...messages: readonly object[]) =>
      ask(`${url}/${transport}`, {
        body: JSON.stringify(messages.map((one) => JSON.stringify(one))),
        headers,
      })
    expect((await own('xhr')).body).to.equal('o\n')
    await own('xhr_send', { rpc: 'auth', token: await site.token(), uuid: 'auth' })
    expect((await own('xhr')).body).to.include('success')
    return { site, url, own }
  }

  /** Fails unless the session has heard nothing, lost nothing, and goes on. */
  async function expectUnharmed({ site, own }: Awaited<ReturnType<typeof victim>>): Promise<void> {
    expect(heard).to.deep.equal([])
    const [socket] = site.sockets.sockets()
    void socket?.rpc('still.here')
    expect((await own('xhr')).body).to.include('still.here')
    expect((await own('xhr_send', { rpc: 'echo', req: 'unharmed', uuid: '2' })).status).to.equal(204)
    expect((await own('xhr')).body).to.include('unharmed')
    await site.servesHonestClients()
  }

  for (const [method, transport] of TRANSPORTS) {
    it(`is 404 to a ${transport} from another address`, async () => {
      const session = await victim()
      const intruder = { method, body: INJECTED, from: '127.0.0.2' }
      expect((await ask(`${session.url}/${transport}`, intruder)).status).to.equal(404)
      await expectUnharmed(session)
    })
  }

  it('is 404 to whoever claims its address, or another server id', async () => {
    const session = await victim()
    const claims = { 'X-Forwarded-For': '127.0.0.1', 'X-Real-IP': '127.0.0.1', Forwarded: 'for=127.0.0.1' }
    for (const url of [session.url, session.url.replace('/000/', '/999/')]) {
      for (const [method, transport] of TRANSPORTS) {
        const intruder = { method, body: INJECTED, from: '127.0.0.2', headers: claims }
        expect((await ask(`${url}/${transport}`, intruder)).status, transport).to.equal(404)
      }
    }
    await expectUnharmed(session)
  })

  it('is its owner’s, whatever addresses the owner names', async () => {
    const session = await victim()
    const headers = { 'X-Forwarded-For': '192.0.2.7' }
    expect((await ask(`${session.url}/xhr_send`, { body: '["{}"]', headers })).status).to.equal(204)
    expect((await session.own('xhr')).body).to.include('bad_message')
    await expectUnharmed(session)
  })

  for (const [owner, again, stranger] of [
    ['192.0.2.7:1000', '192.0.2.7:2000', '192.0.2.8:1000'],
    ['[2001:db8::1]:1000', '[2001:db8::1]:2000', '[2001:db8:0:1::1]:1000'],
    ['::ffff:c000:207', '192.0.2.7', '::ffff:c000:208'],
    ['64:ff9b::192.0.2.7', '64:ff9b::c000:207', '64:ff9b::192.0.2.8'],
    ['fe80::1%eth0', 'fe80::1%eth0', 'fe80::2%eth0'],
  ] as const) {
    it(`behind a trusted proxy is that of ${owner} and ${again}, and 404 to ${stranger}`, async () => {
      const session = await victim(express().set('trust proxy', 'loopback'), { 'X-Forwarded-For': owner })
      const send = (named: string) =>
        ask(`${session.url}/xhr_send`, { body: INJECTED, headers: { 'X-Forwarded-For': named } })
      expect((await send(stranger)).status).to.equal(404)
      await expectUnharmed(session)
      expect((await send(again)).status).to.equal(204)
    })
  }

  it('behind a trusted proxy is 404 to another client of the same proxy', async () => {
    const app = express().set('trust proxy', 'loopback')
    const session = await victim(app, { 'X-Forwarded-For': '192.0.2.7' })
    // The proxy adds who asked it to what was claimed.
    for (const named of ['192.0.2.8', '192.0.2.7, 192.0.2.8'])
      for (const [method, transport] of TRANSPORTS) {
        const intruder = { method, body: INJECTED, headers: { 'X-Forwarded-For': named } }
        expect((await ask(`${session.url}/${transport}`, intruder)).status, transport).to.equal(404)
      }
    await expectUnharmed(session)
  })
})

describe('session ids', () => {
  const start = useSites()

  for (const id of ['__proto__', 'constructor', 'hasOwnProperty', 'x'.repeat(10_000)]) {
    it(`${id.slice(0, 20)} is 404 on every path, at once, and a WebSocket like any other`, async () => {
      const site = await start({ transports: EVERY })
      for (const [method, transport] of TRANSPORTS) {
        const answer = await ask(`${site.url}/sockets/000/${id}/${transport}`, { method, body: '["x"]' })
        expect(answer.status, transport).to.equal(404)
      }
      await expectWebSocket(site, id, id.length <= 128)
      expect(site.sockets.sockets()).to.deep.equal([])
      await site.servesHonestClients()
    })
  }

  it('that only look like such names are names like any other', async () => {
    const site = await start({ transports: EVERY })
    for (const [method, transport] of RECEIVERS) {
      for (const id of ['%5F%5Fproto__', '__proto__%00', 'prototype'])
        expect(
          (await ask(`${site.url}/sockets/000/${id}-${transport.slice(0, 4)}/${transport}`, { method }))
            .status,
        ).to.equal(200)
    }
    expect((await ask(`${site.url}/sockets/000/%5F%5Fproto%5F%5F/xhr`)).body).to.equal('o\n')
    await site.servesHonestClients()
  })
})

/** On a WebSocket the id means nothing: it is its own session. */
async function expectWebSocket(site: Site, id: string, isTaken: boolean): Promise<void> {
  const opening = RawWebSocket.open(site.port, `/sockets/000/${id}/websocket`)
  const outcome = await opening.then(
    async (raw) => {
      const greeting = await raw.find(OPCODES.text)
      raw.destroy()
      return greeting
    },
    (error: Error) => error.message.split('\r\n', 1)[0],
  )
  expect(outcome).to.equal(isTaken ? 'o' : 'HTTP/1.1 404 Not Found')
}
