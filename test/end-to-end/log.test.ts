/** What the server's log says of refusals and ends: one line each, with who, what, why, and a code. */
import type { Socket } from 'node:net'
import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import { type LogLine, type Site, type SiteOptions, turn, until, useSites } from './fixture.js'

const UID = 'ann-77'

/** As a network that breaks. */
function cut(lines: Set<Socket>): void {
  for (const line of lines) line.destroy()
}

describe('the log', () => {
  const start = useSites()

  const open = (options: SiteOptions = {}) =>
    start({
      app: express(),
      authentication: () => ({ uid: UID }),
      channels: { open: { subscribe: true } },
      ...options,
    })
  const linesOf = (site: Site, message: string) => site.log.filter((line) => line.message === message)
  /** The only line of a message. */
  async function line(site: Site, message: string): Promise<LogLine> {
    await until(() => linesOf(site, message).length > 0)
    await turn()
    const [first, ...others] = linesOf(site, message)
    expect(others).to.deep.equal([])
    return first as LogLine
  }

  for (const [what, call, subject, code] of [
    ['an unknown function', 'rpc', { type: 'call', function: 'orders.lst' }, 'not_found'],
    ['a subscription', 'subscribe', { type: 'subscribe', channel: 'room-71' }, 'forbidden'],
    ['a publication', 'publish', { type: 'publish', channel: 'room-72' }, 'forbidden'],
    ['a history', 'history', { type: 'history', channel: 'room-73' }, 'forbidden'],
  ] as const) {
    it(`has a line for ${what} that is refused`, async () => {
      const site = await open()
      const { client, socket } = await site.pair()
      const name = 'function' in subject ? subject.function : subject.channel
      await (client[call] as (name: string) => Promise<unknown>)(name).catch(() => {})
      const { level, details } = await line(site, 'a request was refused')
      expect(level).to.equal('debug')
      expect(details).to.include({ ...subject, sid: socket.sid, uid: UID, code })
    })
  }

  it('has a line for a function that threw, with its stack, and the others of a minute are counted', async () => {
    const fail = () => {
      throw new Error('db down')
    }
    const site = await open({ socketController: { orders: { fail } } })
    const { client, socket } = await site.pair()
    for (let call = 0; call < 100; call += 1) await client.rpc('orders.fail').catch(() => {})
    const { level, details } = await line(site, 'something threw')
    expect(level).to.equal('error')
    expect(details).to.include({ function: 'orders.fail', sid: socket.sid, uid: UID })
    expect(site.failures).to.have.length(100)
    await site.sockets.shutdown()
    expect(linesOf(site, 'something threw').map(({ details }) => details.repeated)).to.deep.equal([
      undefined,
      99,
    ])
  })

  it('has a line for each call, with its duration, with `debug` only', async () => {
    for (const debug of [true, false]) {
      const site = await open({ debug })
      const client = await site.ready()
      await client.rpc('echo', 1)
      const lines = linesOf(site, 'a request was answered')
      expect(lines).to.have.length(debug ? 1 : 0)
      for (const { details } of lines) {
        expect(details).to.include({ type: 'call', function: 'echo', uid: UID })
        expect(details.ms).to.be.a('number')
      }
    }
  })

  for (const [how, end, code, reason] of [
    ['its client ends', (client: { end(): Promise<void> }) => client.end(), 4005, 'client_closed'],
    [
      'the server ends',
      (_client: object, site: Site) => site.sockets.sockets()[0]?.end(),
      4001,
      'closed_by_server',
    ],
    ['is lost', (_client: object, _site: Site, lines: Set<Socket>) => cut(lines), 1006, 'connection_lost'],
  ] as const) {
    it(`has a line for a socket that ${how}`, async () => {
      const site = await open()
      const lines = new Set<Socket>()
      site.http.on('connection', (socket: Socket) => lines.add(socket))
      const { client, socket } = await site.pair({ reconnect: false })
      await end(client, site, lines)
      const { details } = await line(site, 'a socket has ended')
      expect(details).to.include({ sid: socket.sid, uid: UID, code, transport: socket.transport })
      expect(details.reason).to.equal(reason)
      expect(details.ms).to.be.a('number')
    })
  }

  it('has a line for each call to a client, with its duration or why it failed, with `debug` only', async () => {
    for (const debug of [true, false]) {
      const site = await open({ debug })
      const { socket } = await site.pair({}, { greet: () => 'hello' })
      await socket.rpc('greet', 1)
      await socket.rpc('nothing', 1).catch(() => {})
      await turn()
      const answered = linesOf(site, 'a call to a client was answered')
      const failed = linesOf(site, 'a call to a client failed')
      expect([answered.length, failed.length]).to.deep.equal(debug ? [1, 1] : [0, 0])
      for (const { details } of answered)
        expect(details).to.include({ function: 'greet', sid: socket.sid, uid: UID })
      for (const { details } of failed) expect(details).to.include({ function: 'nothing', code: 'not_found' })
      for (const { details } of [...answered, ...failed]) expect(details.ms).to.be.a('number')
    }
  })

  it('has one short line for many bodies of an unknown type', async () => {
    const site = await open()
    const session = `${site.url}/sockets/000/stranger`
    const post = (path: string, type: string) =>
      fetch(`${session}/${path}`, { method: 'POST', body: 'd', headers: { 'Content-Type': type } })
    await (await post('xhr', 'text/plain')).text()
    for (let left = 20; left > 0; left -= 1) await (await post('xhr_send', `z/${'w'.repeat(1000)}`)).text()
    await line(site, 'a request body was refused')
    const lines = site.log.filter((one) => JSON.stringify(one).includes('www'))
    expect(lines.map(({ level }) => level)).to.deep.equal(['info'])
    expect(JSON.stringify(lines).length).to.be.below(400)
  })

  it('has one line above debug for many sockets that their member cuts', async () => {
    const site = await open()
    const lines = new Set<Socket>()
    site.http.on('connection', (socket: Socket) => lines.add(socket))
    for (let left = 10; left > 0; left -= 1) {
      await site.pair({ reconnect: false })
      cut(lines)
      await until(() => site.sockets.sockets().length === 0)
    }
    expect(
      site.log.filter(({ level, details }) => level !== 'debug' && details.code === 1006),
    ).to.have.length(1)
    expect(linesOf(site, 'a socket has ended')).to.have.length(10)
  })

  it('has a warning for a refused origin, with what was compared and the option, once for many', async () => {
    const site = await open()
    for (let left = 50; left > 0; left -= 1)
      await site.askToken({ headers: { Origin: 'https://evil.example' } })
    const { level, details } = await line(site, 'an origin was refused')
    expect(level).to.equal('warn')
    expect(details).to.include({ origin: 'https://evil.example', host: site.host, option: 'origins' })
  })

  it('has one line for many connections that bring no good token', async () => {
    const site = await open()
    for (let left = 20; left > 0; left -= 1) {
      const peer = await site.peer('websocket')
      peer.send({ rpc: 'echo', uuid: '1' })
      await peer.closed
      const other = await site.peer('websocket')
      await other.auth('garbage')
    }
    expect((await line(site, 'a connection was refused')).details).to.include({
      code: 4500,
      reason: 'auth_required',
    })
    expect((await line(site, 'a token was refused')).details.reason).to.be.a('string')
  })

  it('has a line for a limit that a client reaches, also where debug lines are not written', async () => {
    const site = await open({ limits: { rate: 5 } })
    const client = await site.ready()
    await Promise.allSettled(Array.from({ length: 50 }, () => client.rpc('echo')))
    const { level, details } = await line(site, 'a limit was reached')
    expect(level).to.equal('info')
    expect(details).to.include({ code: 'too_many_messages', uid: UID })
  })

  it('has a line for a limit of the engine that makes it forget something before its time', async () => {
    const history = { size: 100, ttl: 60_000 }
    const engine = new MemoryEngine({ channelBytes: 1000 })
    const site = await open({ engine, channels: { kept: { history } } })
    for (let count = 0; count < 10; count += 1) await site.sockets.publish('kept', 'x'.repeat(500))
    const { level, details } = await line(
      site,
      'a limit of the engine is reached: it forgets something before its time',
    )
    expect(level).to.equal('warn')
    expect(details).to.deep.equal({ engine: 'memory', option: 'channelBytes' })
  })
})
