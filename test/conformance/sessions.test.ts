import { expect } from 'chai'
import sinon from 'sinon'
import { expect405 } from './expectations.js'
import { STILL_OPEN, TestBed } from './test-bed.js'

describe('SockJS sessions', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await TestBed.start()
  })

  afterEach(() => bed.stop())

  const poll = async (session: string) => (await bed.post(`${session}/xhr`)).body

  /** Polls until a poll is no more refused for another one, which the server may not have seen end yet. */
  async function pollOnceFree(session: string): Promise<string> {
    for (;;) {
      const body = await poll(session)
      if (body !== STILL_OPEN) return body
    }
  }

  describe('URLs: `/<server>/<session>/<transport>`', () => {
    for (const path of ['/a/a', '/_/_', '/1/1', '/abcdefgh_i-j%20/abcdefg_i-j%20']) {
      it(`${path} opens a session`, async () => {
        expect(await poll(`/echo${path}`)).to.equal('o\n')
      })
    }

    for (const path of ['//', '/a./a', '/a/a.', '/./.', '/', '///', '/a', '/a/b/c', '/../..']) {
      it(`${path} does not`, async () => {
        expect((await bed.get(`/echo${path}/xhr`)).status).to.equal(404)
        expect((await bed.post(`/echo${path}/xhr`)).status).to.equal(404)
      })
    }

    // The protocol takes any value without a dot or a slash. Here it is up to 128 characters that a client sends
    // unescaped, or escaped: what Node's URL parser would write otherwise could pass for another session.
    it('takes no session id of more than 128 characters, nor any that parsers read differently', async () => {
      expect(await poll(`/echo/000/${'x'.repeat(128)}`)).to.equal('o\n')
      for (const id of ['x'.repeat(129), 'a\\b', 'a"b', 'a{b}', 'a|b', 'a^b', 'a`b', "a'b"]) {
        expect((await bed.post(`/echo/000/${id}/xhr`)).status, id).to.equal(404)
      }
    })

    it('knows a session by its own part, whatever the server part', async () => {
      const [, service, , id] = (await bed.open()).split('/')
      await bed.say(`/${service}/111/${id}`, '["a"]')
      expect(await poll(`/${service}/999/${id}`)).to.equal('a["a"]\n')
    })

    it('keeps sessions of other services apart', async () => {
      const session = await bed.open()
      const elsewhere = session.replace('/echo', '/cookie_needed_echo')
      expect((await bed.post(`${elsewhere}/xhr_send`, '["a"]')).status).to.equal(404)
      expect(await poll(elsewhere)).to.equal('o\n')
    })

    it('are not found for an unknown transport', async () => {
      for (const transport of ['', 'unknown', 'xhr_', 'XHR', 'xhr/xhr', 'xhr.html']) {
        expect((await bed.post(`${bed.session()}/${transport}`)).status, transport).to.equal(404)
      }
    })

    for (const [transport, allowed] of Object.entries({
      xhr: ['POST', 'OPTIONS'],
      xhr_streaming: ['POST', 'OPTIONS'],
      eventsource: ['GET'],
      htmlfile: ['GET'],
      jsonp: ['GET'],
    })) {
      it(`take ${allowed.join(' and ')} for ${transport}, and open no session for other methods`, async () => {
        const session = bed.session()
        for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
          const path = `${session}/${transport}`
          if (!allowed.includes(method)) expect405(await bed.ask({ method, path }), allowed)
        }
        expect(await poll(session)).to.equal('o\n')
      })
    }

    for (const [transport, allowed] of Object.entries({
      xhr_send: ['POST', 'OPTIONS'],
      jsonp_send: ['POST'],
    })) {
      // That there is no such session is said before anything else is looked at.
      it(`take ${allowed.join(' and ')} for ${transport} of a session that there is`, async () => {
        expect((await bed.get(`${bed.session()}/${transport}`)).status).to.equal(404)
        const path = `${await bed.open()}/${transport}`
        for (const method of ['GET', 'PUT', 'DELETE']) expect405(await bed.ask({ method, path }), allowed)
      })
    }
  })

  describe('frames', () => {
    it('open with `o`, and carry messages in `a[…]`', async () => {
      const session = bed.session()
      expect(await poll(session)).to.equal('o\n')
      await bed.say(session, '["a"]')
      expect(await poll(session)).to.equal('a["a"]\n')
    })

    it('carry all that waits, in order', async () => {
      const session = await bed.open()
      await bed.say(session, '["a","b"]')
      await bed.say(session, '["c"]')
      expect(await poll(session)).to.equal('a["a","b","c"]\n')
    })

    // The session is looked up before the body is read: nobody gets the server to read for a session that is not theirs.
    it('do not go to a session that there is not, whatever they hold', async () => {
      for (const body of ['["a"]', '', '["broken']) {
        expect((await bed.post('/echo/000/bad_session/xhr_send', body)).status).to.equal(404)
      }
    })

    it('close with `c[code,reason]`, as often as somebody asks', async () => {
      const session = await bed.open('/close')
      for (let count = 0; count < 3; count += 1) expect(await poll(session)).to.equal('c[3000,"Go away!"]\n')
    })

    it('tell a second receiver that there is one, and let the first go on', async () => {
      const session = await bed.open()
      const first = await bed.hold(session)
      const second = await bed.post(`${session}/xhr`)
      expect([second.status, second.body]).to.deep.equal([200, STILL_OPEN])
      await bed.say(session, '["a"]')
      expect((await first.answer).body).to.equal('a["a"]\n')
    })
  })

  describe('closing', () => {
    it('lets go of the stream, so that a later one hears why', async () => {
      const session = bed.session('/close')
      const first = await bed.stream('POST', `${session}/xhr_streaming`)
      expect((await first.rest()).slice(2049)).to.equal('o\nc[3000,"Go away!"]\n')
      const second = await bed.stream('POST', `${session}/xhr_streaming`)
      expect((await second.rest()).slice(2049)).to.equal('c[3000,"Go away!"]\n')
    })

    it('ends a second stream after it is told that there is one', async () => {
      const session = bed.session()
      const first = await bed.stream('POST', `${session}/xhr_streaming`)
      await first.until('o\n')
      const second = await bed.stream('POST', `${session}/xhr_streaming`)
      expect((await second.rest()).slice(2049)).to.equal(STILL_OPEN)
      await bed.say(session, '["a"]')
      expect(await first.until(']\n')).to.equal('a["a"]\n')
    })

    it('is what a stream that breaks off does: what comes next is a new session', async () => {
      const session = bed.session()
      const stream = await bed.stream('POST', `${session}/xhr_streaming`)
      await stream.until('o\n')
      expect(await poll(session)).to.equal(STILL_OPEN)
      stream.abort()
      expect(await pollOnceFree(session)).to.equal('o\n')
    })

    it('is what a poll that breaks off does', async () => {
      const session = await bed.open()
      const first = await bed.hold(session)
      first.abort()
      expect(await pollOnceFree(session)).to.equal('o\n')
    })
  })

  describe('as time passes', () => {
    let clock: sinon.SinonFakeTimers

    beforeEach(() => {
      clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    })

    afterEach(() => clock.restore())

    it('end after 5 s without a receiver', async () => {
      const session = await bed.open()
      clock.tick(4999)
      await bed.say(session, '["a"]')
      clock.tick(1)
      expect((await bed.post(`${session}/xhr_send`, '["a"]')).status).to.equal(404)
      expect(await poll(session)).to.equal('o\n')
    })

    it('forget why they were closed after 5 s, too', async () => {
      const session = await bed.open('/close')
      expect(await poll(session)).to.equal('c[3000,"Go away!"]\n')
      clock.tick(5000)
      expect(await poll(session)).to.equal('o\n')
    })

    it('send `h` to a poll after 25 s, and to a stream every 25 s', async () => {
      const session = await bed.open()
      const waiting = await bed.hold(session)
      const stream = await bed.stream('POST', `${bed.session()}/xhr_streaming`)
      await stream.until('o\n')
      clock.tick(25_000)
      expect((await waiting.answer).body).to.equal('h\n')
      expect(await stream.until('\n')).to.equal('h\n')
      clock.tick(25_000)
      expect(await stream.until('\n')).to.equal('h\n')
    })
  })
})
