import { expect } from 'chai'
import { ELSEWHERE, expectCors, expectPreflight, expectType, expectUncached } from './expectations.js'
import { TestBed } from './test-bed.js'

describe('SockJS by XHR', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await TestBed.start()
  })

  afterEach(() => bed.stop())

  const poll = async (session: string) => (await bed.post(`${session}/xhr`)).body

  describe('xhr-polling: `/xhr`, `/xhr_send`', () => {
    for (const transport of ['xhr', 'xhr_send']) {
      it(`answers preflights of ${transport}`, () =>
        expectPreflight(bed, `${bed.session()}/${transport}`, 'OPTIONS, POST'))
    }

    it('opens no session for a preflight', async () => {
      const session = bed.session()
      await bed.options(`${session}/xhr`)
      expect((await bed.post(`${session}/xhr_send`, '["a"]')).status).to.equal(404)
    })

    it('polls scripts that nobody keeps', async () => {
      const answer = await bed.post(`${bed.session()}/xhr`, '', { Origin: ELSEWHERE })
      expect(answer.status).to.equal(200)
      expect(answer.body).to.equal('o\n')
      expectType(answer, 'application/javascript;charset=UTF-8')
      expectCors(answer, ELSEWHERE)
      expectUncached(answer)
    })

    // Without a type Firefox takes nothing for XML, and complains.
    it('sends with 204 and a plain type', async () => {
      const session = bed.session()
      const headers = { Origin: ELSEWHERE }
      await bed.post(`${session}/xhr`, '', headers)
      const answer = await bed.post(`${session}/xhr_send`, '["x"]', headers)
      expect(answer.status).to.equal(204)
      expect(answer.body).to.equal('')
      expectType(answer, 'text/plain;charset=UTF-8')
      expectCors(answer, ELSEWHERE)
      expectUncached(answer)
      expect((await bed.post(`${session}/xhr`, '', headers)).body).to.equal('a["x"]\n')
    })

    it('keeps a poll waiting until there is something', async () => {
      const session = await bed.open()
      const waiting = await bed.hold(session)
      await bed.say(session, '["x"]')
      expect((await waiting.answer).body).to.equal('a["x"]\n')
    })

    it('refuses a body that is no array of messages with 500, and goes on', async () => {
      const session = await bed.open()
      const bodies = { '["x': 'Broken JSON encoding.', '': 'Payload expected.', '{}': 'Payload expected.' }
      for (const [body, text] of Object.entries(bodies)) {
        const answer = await bed.post(`${session}/xhr_send`, body)
        expect(answer.status, body).to.equal(500)
        expect(answer.body, body).to.include(text)
      }
      await bed.say(session, '["a"]')
      expect(await poll(session)).to.equal('a["a"]\n')
    })

    it('takes an array without messages', async () => {
      const session = await bed.open()
      await bed.say(session, '[]')
      await bed.say(session, '["a"]')
      expect(await poll(session)).to.equal('a["a"]\n')
    })

    it('takes every type of content that clients send', async () => {
      const session = await bed.open()
      const charset = 'charset=utf-8'
      const types = ['text/plain', 'T', 'application/json', 'application/xml', '', 'text/xml']
      types.push(`application/json; ${charset}`, `text/xml; ${charset}`, `text/plain; ${charset}`)
      for (const type of types) {
        const answer = await bed.post(`${session}/xhr_send`, '["a"]', { 'Content-Type': type })
        expect([answer.status, answer.body], type).to.deep.equal([204, ''])
      }
      expect(await poll(session)).to.equal(`a[${types.map(() => '"a"').join(',')}]\n`)
    })

    // Nothing else would do: a form, which any page may send anywhere without asking first, is not read.
    it('takes no form', async () => {
      const session = await bed.open()
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
      expect((await bed.post(`${session}/xhr_send`, '["a"]', headers)).status).to.equal(500)
    })

    it('allows the headers that a page asks for, if any', async () => {
      const ask = 'Access-Control-Request-Headers'
      for (const [asked, allowed] of [
        ['a, b, c', 'a, b, c'],
        ['', undefined],
      ] as const) {
        const { headers } = await bed.post(`${bed.session()}/xhr`, '', { Origin: ELSEWHERE, [ask]: asked })
        expect(headers['access-control-allow-headers'] || undefined).to.equal(allowed)
      }
      const { headers } = await bed.post(`${bed.session()}/xhr`, '', { Origin: ELSEWHERE })
      expect(headers).to.not.have.property('access-control-allow-headers')
    })
  })

  describe('xhr-streaming: `/xhr_streaming`', () => {
    it('answers preflights', () => expectPreflight(bed, `${bed.session()}/xhr_streaming`, 'OPTIONS, POST'))

    it('starts with 2 KiB of `h`, then `o`, then each message at once', async () => {
      const session = bed.session()
      const stream = await bed.stream('POST', `${session}/xhr_streaming`)
      expect(stream.status).to.equal(200)
      expectType(stream, 'application/javascript;charset=UTF-8')
      expectUncached(stream)
      expect(await stream.until('\n')).to.equal(`${'h'.repeat(2048)}\n`)
      expect(await stream.until('\n')).to.equal('o\n')
      for (const text of ['["x"]', '["y"]']) {
        await bed.say(session, text)
        expect(await stream.until('\n')).to.equal(`a${text}\n`)
      }
    })

    it('allows the page’s origin', async () => {
      const answer = await bed.post(`${bed.session('/close')}/xhr_streaming`, '', { Origin: ELSEWHERE })
      expectCors(answer, ELSEWHERE)
    })

    // The protocol’s own suite wants its echo to end at 4 KiB, so as to see it.
    for (const [service, limit] of [
      ['/echo', 4 * 1024],
      ['/cookie_needed_echo', 128 * 1024],
    ] as const) {
      it(`ends after ${limit} bytes on ${service}, prelude not counted, and goes on with the next request`, async () => {
        const session = bed.session(service)
        const stream = await bed.stream('POST', `${session}/xhr_streaming`)
        await stream.until('o\n')
        const frame = (size: number) => `a["${'x'.repeat(size - 6)}"]\n`
        const say = (size: number) => bed.say(session, frame(size).slice(1))
        // `o` has two bytes; this is one short of the limit.
        await say(limit - 3)
        expect((await stream.until(']\n')).length).to.equal(limit - 3)
        await say(100)
        expect(await stream.rest()).to.equal(frame(100))
        await say(10)
        const next = await bed.stream('POST', `${session}/xhr_streaming`)
        await next.until('h\n')
        expect(await next.until(']\n')).to.equal(frame(10))
      })
    }
  })
})
