import { connect } from 'node:net'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { Carrier, type CarrierSettings } from './carrier.js'

const trusts: CarrierSettings['trusts'] = (address) => address.endsWith('127.0.0.1')
/** Of an auth message of 100 UTF-16 code units, two bytes for each, and 256 for its frame. */
const AUTH_LIMIT = 456
const POST = 'HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** The characters of tokens. */
const TOKENS = [
  ['jwt', `${LETTERS}._-`],
  ['base64', `${LETTERS}+/=`],
] as const

describe('Gate, limits of strangers and addresses', () => {
  let carrier: Carrier

  async function start(settings: CarrierSettings): Promise<void> {
    carrier = await Carrier.start({ signedIn: false, ...settings })
  }
  afterEach(() => carrier.stop())

  /** Sends the head of a request, and the beginning of its body. */
  const begin = (path: string, { length = 100, body = '["', headers = '' } = {}) =>
    carrier.server.raw(`POST /sockets/000/${path} ${POST}${headers}Content-Length: ${length}\r\n\r\n${body}`)
  const status = async (exchange: Awaited<ReturnType<typeof begin>>) =>
    Number((await exchange.ended()).split(' ', 2)[1])

  it('takes of a session that has not signed in what its auth message needs', async () => {
    await start({ limits: { authMessage: 100 } })
    const guest = await carrier.poll('abc')
    const filled = (bytes: number) => '["x"]'.padEnd(bytes)
    expect((await carrier.post('abc/xhr_send', filled(AUTH_LIMIT))).status).to.equal(204)
    guest.connection.authenticated?.()
    expect((await carrier.post('abc/xhr_send', filled(AUTH_LIMIT + 1))).status).to.equal(204)
    expect(await guest.messages.take(2)).to.deep.equal(['x', 'x'])
  })

  it('closes such a session as too_large for more, so that its client learns why from its poll', async () => {
    await start({ limits: { authMessage: 100 } })
    for (const length of [AUTH_LIMIT + 1, 1_000_000_000]) {
      const guest = await carrier.poll(`s${length}`)
      const answer = await (
        await begin(`s${length}/xhr_send`, { length, body: 'x'.repeat(AUTH_LIMIT + 1) })
      ).ended()
      expect(answer).to.match(/^HTTP\/1.1 204 /)
      expect((await guest.ended)[0]).to.equal(4501)
      expect(await (await carrier.post(`s${length}/xhr`)).text()).to.match(/^c\[4501,/)
      expect(guest.messages.rest).to.deep.equal([])
    }
  })

  it('takes an auth message with a JWT or base64 of the whole limit, however it is sent', async () => {
    await start({ limits: { authMessage: 600 }, transports: ['xhr-polling', 'jsonp-polling'] })
    for (const [name, unit] of TOKENS) {
      const guest = await carrier.poll(name)
      const frame = (token: string) =>
        JSON.stringify({ rpc: 'auth', token, uuid: '00000000-0000-4000-8000-000000000000', version: 1 })
      const message = frame(unit.repeat(600).slice(0, 600 - frame('').length))
      const body = JSON.stringify([message])
      const path = `${name}/`
      expect((await carrier.post(`${path}xhr_send`, body)).status, name).to.equal(204)
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
      const form = `d=${encodeURIComponent(body)}`
      expect((await carrier.post(`${path}jsonp_send`, form, headers)).status, name).to.equal(200)
      expect(await guest.messages.take(2)).to.deep.equal([message, message])
    }
  })

  it('reads one body of such a session at a time', async () => {
    await start({})
    await carrier.poll('abc')
    const first = await begin('abc/xhr_send', { headers: 'Expect: 100-continue\r\n' })
    await first.matching(/100 Continue/)
    expect(await status(await begin('abc/xhr_send'))).to.equal(429)
    first.write(`x"]${' '.repeat(95)}`)
    await first.matching(/HTTP\/1.1 204 /)
    expect((await carrier.post('abc/xhr_send', '["y"]')).status).to.equal(204)
    first.close()
  })

  it('reads the bodies of a session that has signed in one after the other, a few at most', async () => {
    await start({ signedIn: true })
    const guest = await carrier.poll('abc')
    const expecting = { headers: 'Expect: 100-continue\r\n' }
    const first = await begin('abc/xhr_send', expecting)
    await first.matching(/100 Continue/)
    const others = await Promise.all(['a', 'b', 'c'].map(() => begin('abc/xhr_send', expecting)))
    for (const other of others) await other.matching(/100 Continue/)
    expect(await status(await begin('abc/xhr_send'))).to.equal(429)
    for (const other of others) other.write(`x"]${' '.repeat(95)}`)
    first.write(`1"]${' '.repeat(95)}`)
    expect(await guest.messages.take(4)).to.deep.equal(['1', 'x', 'x', 'x'])
    for (const exchange of [first, ...others]) exchange.close()
  })

  it('stops reading when the session is closed, and reads nothing of it after that', async () => {
    await start({})
    const guest = await carrier.poll('abc')
    const unfinished = await begin('abc/xhr_send', { headers: 'Expect: 100-continue\r\n' })
    await unfinished.matching(/100 Continue/)
    guest.connection.close(4000, 'over')
    expect(await unfinished.ended()).to.match(/HTTP\/1.1 204 /)
    expect(await status(await begin('abc/xhr_send', { length: 1_000_000_000 }))).to.equal(204)
    expect(await (await carrier.post('abc/xhr')).text()).to.equal('c[4000,"over"]\n')
  })

  it('answers 408 to a body that takes too long', async () => {
    await start({ limits: { bodyTimeout: 50 } })
    await carrier.poll('abc')
    expect(await status(await begin('abc/xhr_send'))).to.equal(408)
    expect((await carrier.post('abc/xhr_send', '["x"]')).status).to.equal(204)
  })

  it('answers 503 to the body for which an address has no room, and reads those of others', async () => {
    await start({ signedIn: true, trusts, limits: { bodyBytesPerAddress: 5 } })
    const from = (address: string) => ({ 'X-Forwarded-For': address })
    await carrier.poll('mine', from('192.0.2.1'))
    await carrier.poll('other', from('192.0.2.2'))
    const send = (session: string, body: string, address: string) =>
      carrier.post(`${session}/xhr_send`, body, from(address))
    expect((await send('mine', '["xy"]', '192.0.2.1')).status).to.equal(503)
    expect((await send('mine', '["x"]', '192.0.2.1')).status).to.equal(204)
    expect((await send('other', '["x"]', '192.0.2.2')).status).to.equal(204)
  })

  it('answers 429 to more connections of one address than it may have, and lets others in', async () => {
    await start({ trusts, limits: { connectionsPerAddress: 2 } })
    const headers = { 'X-Forwarded-For': '192.0.2.1' }
    const { peer } = await carrier.open('/sockets/websocket', { headers })
    await carrier.poll('one', headers)
    expect((await carrier.post('two/xhr', '', headers)).status).to.equal(429)
    expect(await carrier.refusal('/sockets/websocket', { headers })).to.equal(429)
    const line = { option: 'limits.connectionsPerAddress', limit: 2, address: '192.0.2.1' }
    expect(carrier.log.of('warn').map(({ details }) => details)).to.deep.equal([line, line])
    const other = { 'X-Forwarded-For': '2001:db8::1' }
    await carrier.poll('three', other)
    await carrier.poll('four', { 'X-Forwarded-For': '2001:db8::2' })
    expect((await carrier.post('five/xhr', '', { 'X-Forwarded-For': '2001:db8::3' })).status).to.equal(429)
    peer.socket.close()
    await peer.closed
    await carrier.poll('two', headers)
  })

  it('has a line for each kind of upgrade that is refused', async () => {
    await start({})
    const [path, status] = ['/sockets/nothing', '404 Not Found']
    expect(await carrier.refusal(path)).to.equal(404)
    expect(carrier.log.of('info').map(({ details }) => details)).to.deep.equal([{ status, path }])
  })

  it('counts no upgrade that is refused', async () => {
    await start({ limits: { connectionsPerAddress: 1 } })
    for (let at = 0; at < 3; at += 1) {
      const upgrade =
        'GET /sockets/websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
      const exchange = await carrier.server.raw(`${upgrade}Sec-WebSocket-Version: 13\r\n\r\n`)
      expect(await exchange.ended()).to.match(/^HTTP\/1.1 400 /)
    }
    const { peer } = await carrier.open('/sockets/websocket')
    peer.socket.close()
    await peer.closed
  })

  it('answers 414 to a URL that is longer than any client’s, which a session would keep', async () => {
    await start({})
    const path = (length: number) => 'abc/xhr?'.padEnd(length - '/sockets/000/'.length, 'x')
    expect((await carrier.post(path(2049))).status).to.equal(414)
    expect(carrier.guests.rest).to.deep.equal([])
    expect((await carrier.post(path(2048))).status).to.equal(200)
  })

  it('opens and knows sessions whose headers are long', async () => {
    await start({ trusts })
    const headers = { 'User-Agent': 'x'.repeat(5000), 'X-Forwarded-For': `${'x'.repeat(5000)}, 192.0.2.1` }
    const guest = await carrier.poll('abc', headers)
    guest.connection.send(['hello'])
    expect(await (await carrier.post('abc/xhr', '', headers)).text()).to.equal('a["hello"]\n')
  })

  it('keeps nothing of a body that comes with a poll', async () => {
    await start({})
    const body = Buffer.alloc(32 * 1024 * 1024, 97)
    const socket = connect(carrier.server.port, '127.0.0.1')
    socket.write(`POST /sockets/000/abc/xhr_streaming ${POST}Content-Length: ${body.length}\r\n\r\n`)
    // It resolves when all of it has gone out, which is more than the network holds.
    await promisify<Buffer>(socket.write.bind(socket))(body)
    socket.destroy()
  })
})
