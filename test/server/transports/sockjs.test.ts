import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { CLOSE_CODES } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { Flusher, Outbox } from '#server/socket/outbox.js'
import { TRANSPORT_NAMES } from '#server/transports/transport-names.js'
import { until } from '../../end-to-end/fixture.js'
import { Carrier, type Guest } from './carrier.js'

/** The lines of a streaming response, as they come. */
async function* linesOf(response: Response): AsyncGenerator<string> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

describe('SockJSTransport', () => {
  let carrier: Carrier

  beforeEach(async () => {
    carrier = await Carrier.start({ transports: TRANSPORT_NAMES, message: 1000 })
  })

  afterEach(() => carrier.stop())

  const poll = async (session = 'abc') => (await carrier.post(`${session}/xhr`)).text()

  it('names one version of the script on its iframe page, and its hash', async () => {
    const page = await (await carrier.fetch('/sockets/iframe.html')).text()
    const path = createRequire(import.meta.url).resolve('sockjs-client/dist/sockjs.min.js')
    const hash = createHash('sha384').update(readFileSync(path)).digest('base64')
    const scripts = page.match(/<script [^>]*>/g)
    expect(scripts).to.deep.equal([
      `<script src="https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js" \
integrity="sha384-${hash}" crossorigin="anonymous">`,
    ])
  })

  it('names the script that the server’s owner has, as it is', async () => {
    for (const sockjsUrl of ['/sockjs.min.js', 'https://cdn.example.com/$&/$1/$$.js?a=b&c=d']) {
      await carrier.stop()
      carrier = await Carrier.start({ transports: TRANSPORT_NAMES, sockjsUrl })
      const page = await (await carrier.fetch('/sockets/iframe.html')).text()
      expect(page.match(/<script [^>]*>/g)).to.deep.equal([`<script src="${sockjsUrl}">`])
    }
  })

  it('ends a stream after as many bytes as it is told', async () => {
    await carrier.stop()
    carrier = await Carrier.start({ responseLimit: 100 })
    const streaming = carrier.fetch('/sockets/000/abc/eventsource').then((response) => response.text())
    const guest = await carrier.guests.next()
    guest.connection.send(['x'.repeat(100)])
    expect(await streaming).to.match(/x{100}"\]\r\n\r\n$/)
  })

  for (const path of ['xhr', 'xhr_streaming', 'eventsource', 'jsonp?c=cb', 'htmlfile?c=cb'])
    it(`reports, over ${path}, when what was sent is written: small texts, one after the other`, async () => {
      const isPoll = /^xhr$|jsonp/.test(path)
      const fetch = () =>
        carrier.fetch(`/sockets/000/abc/${path}`, { method: /^xhr/.test(path) ? 'POST' : 'GET' })
      const first = await fetch()
      if (isPoll) await first.text()
      const { connection } = await carrier.guests.next()
      for (const text of ['a', 'b', 'c']) {
        connection.send([text])
        const written = new Promise<void>((resolve) => connection.written?.(resolve))
        if (isPoll) await (await fetch()).text()
        await written
        expect(connection.bufferedBytes).to.equal(0)
      }
      if (!isPoll) await first.body?.cancel()
    })

  describe('a message over the limit', () => {
    const LARGE = 'x'.repeat(1001)
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const ways: readonly (readonly [what: string, path: string, message: unknown, headers?: typeof form])[] =
      [
        ['by xhr_send', 'xhr_send', LARGE],
        ['by jsonp_send', 'jsonp_send', LARGE, form],
        ['of characters that are more bytes', 'xhr_send', 'é'.repeat(501)],
        ['that is no text', 'xhr_send', { a: LARGE }],
      ]
    for (const [what, path, message, headers] of ways) {
      it(`${what} is refused with 413, and the session goes on`, async () => {
        const guest = await carrier.poll('abc')
        const body = JSON.stringify([message])
        const answer = await carrier.post(
          `abc/${path}`,
          headers ? `d=${encodeURIComponent(body)}` : body,
          headers,
        )
        expect([answer.status, await answer.text()]).to.deep.equal([413, 'Too large (limit 1000 bytes)\n'])
        await carrier.post('abc/xhr_send', '["ok"]')
        expect(await guest.messages.next()).to.equal('ok')
      })
    }

    it('is not parsed if its body nests too deeply, whatever else a form holds', async () => {
      await carrier.stop()
      carrier = await Carrier.start({ transports: TRANSPORT_NAMES, message: 100_000 })
      await carrier.poll('abc')
      const nested = '['.repeat(60_000)
      const answers = [
        await carrier.post('abc/xhr_send', nested),
        await carrier.post('abc/jsonp_send', `d=${encodeURIComponent(nested)}`, form),
        await carrier.post('abc/jsonp_send', `x=%22&d=${encodeURIComponent(nested)}`, form),
      ]
      for (const answer of answers)
        expect([answer.status, await answer.text()]).to.deep.equal([400, 'Too complex\n'])
    })

    it('lets those before it in its body be heard, and none after it', async () => {
      const guest = await carrier.poll('abc')
      expect((await carrier.post('abc/xhr_send', JSON.stringify(['a', LARGE, 'b']))).status).to.equal(413)
      await carrier.post('abc/xhr_send', '["c"]')
      expect(await guest.messages.take(2)).to.deep.equal(['a', 'c'])
    })

    it('is none of just the limit, however it has to be escaped', async () => {
      const guest = await carrier.poll('abc')
      for (const message of ['"'.repeat(1000), 'é'.repeat(500), '\u0300'.repeat(500)]) {
        const escaped = JSON.stringify([message]).replaceAll('\u0300', '\\u0300')
        expect((await carrier.post('abc/xhr_send', escaped)).status).to.equal(204)
        const sent = await carrier.post('abc/jsonp_send', `d=${encodeURIComponent(escaped)}`, form)
        expect(sent.status).to.equal(200)
        expect(await guest.messages.take(2)).to.deep.equal([message, message])
      }
    })

    it('is not logged as an error: clients make them', async () => {
      await carrier.poll('abc')
      await carrier.post('abc/xhr_send', JSON.stringify([LARGE]))
      expect(carrier.log.of('error')).to.deep.equal([])
    })
  })

  describe('by xhr-polling', () => {
    it('opens with `o`, and is called xhr-polling', async () => {
      expect(await poll()).to.equal('o\n')
      expect((await carrier.guests.next()).connection.transport).to.equal('xhr-polling')
    })

    it('answers a poll that waits at once', async () => {
      const guest = await carrier.poll('abc')
      const answer = poll()
      await once(carrier)
      guest.connection.send(['{"a":1}'])
      expect(await answer).to.equal('a["{\\"a\\":1}"]\n')
    })

    it('gives an absent poller everything with the next poll, in order', async () => {
      const guest = await carrier.poll('abc')
      guest.connection.send(['1', '2'])
      guest.connection.send(['3'])
      expect(await poll()).to.equal('a["1","2","3"]\n')
    })

    it('divides among responses what is more than one should carry, in order', async () => {
      const guest = await carrier.poll('abc')
      const messages = Array.from({ length: 10 }, (_, index) => `${index}${'x'.repeat(50_000)}`)
      guest.connection.send(messages)
      expect(guest.connection.bufferedBytes).to.equal(10 * 50_001)
      const responses = await Promise.all([poll()])
      for (let count = 0; count < 3; count += 1) responses.push(await poll())
      const lists = responses.map((text) => JSON.parse(text.slice(1)) as string[])
      expect(lists.map(({ length }) => length)).to.deep.equal([3, 3, 3, 1])
      expect(lists.flat()).to.deep.equal(messages)
      expect(guest.connection.bufferedBytes).to.equal(0)
    })

    it('lets all that was sent leave before the close', async () => {
      const guest = await carrier.poll('abc')
      const messages = Array.from({ length: 10 }, (_, index) => `${index}${'x'.repeat(50_000)}`)
      guest.connection.send(messages)
      guest.connection.close(4001, 'bye')
      expect(JSON.parse((await poll()).slice(1))).to.deep.equal(messages)
      expect(await poll()).to.equal('c[4001,"bye"]\n')
    })

    it('counts what waits for an absent poller, until it is fetched', async () => {
      const guest = await carrier.poll('abc')
      expect(guest.connection.bufferedBytes).to.equal(0)
      guest.connection.send(['x'.repeat(1000)])
      expect(guest.connection.bufferedBytes).to.equal(1000)
      guest.connection.send(['x'.repeat(500), 'x'])
      expect(guest.connection.bufferedBytes).to.equal(1501)
      await poll()
      expect(guest.connection.bufferedBytes).to.equal(0)
      guest.connection.send(['xy'])
      expect(guest.connection.bufferedBytes).to.equal(2)
    })

    it('lets an outbox close an absent poller, whose next poll is told why', async () => {
      const guest = await carrier.poll('abc')
      const flusher = new Flusher()
      const outbox = new Outbox(guest.connection, { flusher, budget: 1000, readTimeout: 60_000 })
      // 64 KiB wait for the poll in any case, and in less than 250 ms 16 times the budget besides.
      for (let count = 0; count < 90; count += 1) {
        outbox.add('x'.repeat(1000))
        flusher.flush()
      }
      expect(guest.connection.bufferedBytes).to.be.within(65_000, 67_000)
      expect((await guest.ended)[0]).to.equal(CLOSE_CODES.slow_consumer.code)
      await poll()
      expect(await poll()).to.equal('c[4002,"Too many bytes wait for this socket"]\n')
    })

    it('has a listener that was set later hear what follows', async () => {
      const { connection } = await carrier.poll('abc')
      const later: unknown[] = []
      const relisten = () =>
        connection.listen({ message: (text) => later.push(text), closed: (code) => later.push(code) })
      connection.listen({ message: relisten, closed: () => {} })
      await carrier.post('abc/xhr_send', '["one","two"]')
      connection.close(4900, '')
      expect(later).to.deep.equal(['two', 4900])
    })

    it('hears what is sent, in order', async () => {
      const guest = await carrier.poll('abc')
      await carrier.post('abc/xhr_send', '["a","b"]')
      await carrier.post('abc/xhr_send', '["c"]')
      expect(await guest.messages.take(3)).to.deep.equal(['a', 'b', 'c'])
    })

    it('hears what is no text as it is', async () => {
      const guest = await carrier.poll('abc')
      await carrier.post('abc/xhr_send', '[{"a":1},5,[6],"end"]')
      expect(await guest.messages.take(4)).to.deep.equal([{ a: 1 }, 5, [6], 'end'])
    })

    for (const body of ['', 'x', '"x"', '5', '{}', 'null', '["a"', '{"__proto__":null}']) {
      it(`refuses the body ${JSON.stringify(body)}, and goes on`, async () => {
        const guest = await carrier.poll('abc')
        expect((await carrier.post('abc/xhr_send', body)).status).to.equal(500)
        await carrier.post('abc/xhr_send', '["ok"]')
        expect(await guest.messages.next()).to.equal('ok')
      })
    }

    it('gives what came before to the next poll, and the close code to every later one', async () => {
      const guest = await carrier.poll('abc')
      guest.connection.send(['last'])
      guest.connection.close(4001, 'Closed by the server')
      expect(await guest.ended).to.deep.equal([4001, 'Closed by the server'])
      expect(await poll()).to.equal('a["last"]\n')
      for (let count = 0; count < 2; count += 1) {
        expect(await poll()).to.equal('c[4001,"Closed by the server"]\n')
      }
    })

    it('gives the close code to a poll that waits', async () => {
      const guest = await carrier.poll('abc')
      const answer = poll()
      await once(carrier)
      guest.connection.close(4001, 'bye')
      expect(await answer).to.equal('c[4001,"bye"]\n')
    })

    it('does nothing more once it is closed', async () => {
      const guest = await carrier.poll('abc')
      guest.connection.close(4001, 'first')
      guest.connection.close(4002, 'second')
      guest.connection.send(['late'])
      await carrier.post('abc/xhr_send', '["late"]')
      expect(await poll()).to.equal('c[4001,"first"]\n')
      expect(await guest.ended).to.deep.equal([4001, 'first'])
      expect(guest.messages.rest).to.deep.equal([])
    })

    it('refuses a second poll beside one that waits', async () => {
      await carrier.poll('abc')
      const first = poll()
      await once(carrier)
      expect(await poll()).to.equal('c[2010,"Another connection still open"]\n')
      await carrier.stop()
      await first.catch(() => {})
      carrier = await Carrier.start()
    })
  })

  describe('by xhr-streaming', () => {
    let lines: AsyncGenerator<string>
    let guest: Guest
    let giveUp: AbortController

    beforeEach(async () => {
      giveUp = new AbortController()
      const init = { method: 'POST', signal: giveUp.signal }
      lines = linesOf(await carrier.fetch('/sockets/000/abc/xhr_streaming', init))
      guest = await carrier.guests.next()
    })

    const next = async () => (await lines.next()).value

    it('opens with 2 kB of padding and `o`', async () => {
      expect(await next()).to.equal('h'.repeat(2048))
      expect(await next()).to.equal('o')
      expect(guest.connection.transport).to.equal('xhr-streaming')
    })

    it('sends each message at once', async () => {
      guest.connection.send(['1'])
      guest.connection.send(['2'])
      await next()
      expect([await next(), await next(), await next()]).to.deep.equal(['o', 'a["1"]', 'a["2"]'])
    })

    it('ends with the close code', async () => {
      guest.connection.close(4001, 'bye')
      const all: string[] = []
      for await (const line of lines) all.push(line)
      expect(all.slice(1)).to.deep.equal(['o', 'c[4001,"bye"]'])
    })

    it('is over, with 1006, when the client breaks off', async () => {
      giveUp.abort()
      expect((await guest.ended)[0]).to.equal(1006)
    })

    it('counts what a response does not pass on', async () => {
      const message = 'x'.repeat(100_000)
      for (let count = 0; count < 200; count += 1) guest.connection.send([message])
      expect(guest.connection.bufferedBytes).to.be.above(5_000_000)
    })
  })

  describe('by eventsource', () => {
    it('sends events', async () => {
      const response = await carrier.fetch('/sockets/000/abc/eventsource')
      expect(response.headers.get('content-type')).to.equal('text/event-stream')
      const guest = await carrier.guests.next()
      expect(guest.connection.transport).to.equal('eventsource')
      guest.connection.send(['{"a":1}'])
      guest.connection.close(4001, 'bye')
      const text = (await response.text()).replaceAll('\r\n', '\n').trim()
      expect(text.split('\n\n')).to.deep.equal(['data: o', 'data: a["{\\"a\\":1}"]', 'data: c[4001,"bye"]'])
    })
  })

  describe('by jsonp-polling', () => {
    const jsonp = (callback: string) => carrier.fetch(`/sockets/000/abc/jsonp?c=${callback}`)

    it('calls the callback, and hears forms', async () => {
      expect(await (await jsonp('f')).text()).to.equal('/**/f("o");\r\n')
      const guest = await carrier.guests.next()
      expect(guest.connection.transport).to.equal('jsonp-polling')
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
      const sent = await carrier.post('abc/jsonp_send', `d=${encodeURIComponent('["hi"]')}`, headers)
      expect(await sent.text()).to.equal('ok')
      expect(await guest.messages.next()).to.equal('hi')
    })

    for (const callback of ['', 'alert(1)', '%3Cscript%3E', 'a%20b', 'x'.repeat(33)]) {
      it(`refuses the callback ${JSON.stringify(callback)}`, async () => {
        const response = await jsonp(callback)
        // An empty name calls nothing.
        if (callback !== '') expect(response.status).to.equal(500)
        expect(await response.text()).to.not.include('alert(1)(')
      })
    }
  })

  describe('by htmlfile', () => {
    it('calls the callback of the page around it', async () => {
      const response = await carrier.fetch('/sockets/000/abc/htmlfile?c=f')
      const guest = await carrier.guests.next()
      expect(guest.connection.transport).to.equal('htmlfile')
      guest.connection.close(4001, 'bye')
      expect(await response.text())
        .to.include('p("o");')
        .and.include('4001')
    })
  })

  describe('as time passes', () => {
    let clock: sinon.SinonFakeTimers

    beforeEach(() => {
      clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    })

    afterEach(() => sinon.restore())

    it('is over, with 1006, when nobody polls for 5 s', async () => {
      const guest = await carrier.poll('abc')
      clock.tick(4999)
      guest.connection.send(['still there'])
      expect(guest.connection.bufferedBytes).to.be.above(0)
      clock.tick(1)
      expect(await guest.ended).to.deep.equal([1006, 'The connection was lost'])
    })

    it('gives time to download a large response, by polls and by streams', async () => {
      for (const transport of ['xhr', 'xhr_streaming']) {
        const guest = await carrier.poll(transport)
        const ended = sinon.spy()
        guest.ended.then(ended)
        guest.connection.send(['x'.repeat(160_000)])
        await (await carrier.post(`${transport}/${transport}`)).text()
        clock.tick(14_900)
        guest.connection.send(['still there'])
        expect(guest.connection.bufferedBytes, transport).to.be.above(0)
        clock.tick(100)
        expect(await guest.ended).to.deep.equal([1006, 'The connection was lost'])
      }
    })

    it('keeps the socket of a large response open for as much longer', async () => {
      const sockets: Socket[] = []
      carrier.server.http.on('connection', (socket: Socket) => sockets.push(socket))
      const guest = await carrier.poll('abc')
      guest.connection.send(['x'.repeat(160_000)])
      await poll()
      await until(() => sockets.some(({ timeout = 0 }) => timeout >= 10_000 + 5000))
    })

    it('sends a heartbeat each interval to a stream', async () => {
      const response = await carrier.fetch('/sockets/000/abc/eventsource')
      const lines = linesOf(response)
      await carrier.guests.next()
      clock.tick(25_000)
      const seen: string[] = []
      while (!seen.includes('data: h\r')) seen.push((await lines.next()).value ?? '')
      expect(seen).to.include('data: o\r')
    })
  })

  it('logs nothing about requests above debug, but what the gate refuses', async () => {
    await carrier.poll('abc')
    await carrier.post('abc/unknown')
    const others = carrier.log.lines.filter(({ level }) => level !== 'debug')
    expect(others.map(({ message }) => message)).to.deep.equal(['a request was refused by the gate'])
  })

  it('logs a body of an unknown content type as info: strangers can send it', async () => {
    await carrier.poll('abc')
    await carrier.post('abc/xhr_send', '["x"]', { 'Content-Type': 'text/unknown' })
    expect(carrier.log.of('info').map(({ message }) => message)).to.deep.equal(['a request body was refused'])
    expect(JSON.stringify(carrier.log.of('info'))).to.contain('text/unknown')
    expect(carrier.log.of('error')).to.deep.equal([])
  })
})

/** Resolves when the next request has come to the server and been handled. */
function once(carrier: Carrier): Promise<void> {
  return new Promise((resolve) => {
    const { emit } = carrier.server.http
    carrier.server.http.emit = function (this: unknown, event: string, ...args: unknown[]) {
      const result = Reflect.apply(emit, carrier.server.http, [event, ...args])
      if (event === 'request') {
        carrier.server.http.emit = emit
        resolve()
      }
      return result
    } as typeof emit
  })
}
