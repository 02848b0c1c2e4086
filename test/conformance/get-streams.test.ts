import { expect } from 'chai'
import { ELSEWHERE, expectType, expectUncached } from './expectations.js'
import { TestBed } from './test-bed.js'

/** Where a response ends, by service: the protocol’s suite wants its echo to end at 4 KiB, so as to see it. */
const LIMITS = { '/echo': 4 * 1024, '/cookie_needed_echo': 128 * 1024 }

describe('SockJS by streams that are got', () => {
  let bed: TestBed

  before(async () => {
    bed = await TestBed.start()
  })

  after(() => bed.stop())

  describe('eventsource: `/eventsource`', () => {
    const event = (frame: string) => `data: ${frame}\r\n\r\n`

    it('starts with an empty line, for Opera, then sends an event for each frame', async () => {
      const session = bed.session()
      const stream = await bed.stream('GET', `${session}/eventsource`)
      expect(stream.status).to.equal(200)
      // The protocol asks for `;charset=UTF-8` besides, which newer servers leave out: events are UTF-8, whatever is said.
      expectType(stream, 'text/event-stream')
      expectUncached(stream)
      expect(await stream.until('\r\n')).to.equal('\r\n')
      expect(await stream.until('\r\n\r\n')).to.equal(event('o'))
      await bed.say(session, '["x"]')
      expect(await stream.until('\r\n\r\n')).to.equal(event('a["x"]'))
    })

    it('keeps what would end an event out of it', async () => {
      const session = bed.session()
      const stream = await bed.stream('GET', `${session}/eventsource`)
      await stream.until(event('o'))
      await bed.say(session, String.raw`["  \u0000\n\r "]`)
      expect(await stream.until('\r\n\r\n')).to.equal(event(String.raw`a["  \u0000\n\r "]`))
    })

    // Not in the protocol's text: clients decode events as URIs.
    it('escapes the percent sign', async () => {
      const session = bed.session()
      const stream = await bed.stream('GET', `${session}/eventsource`)
      await stream.until(event('o'))
      await bed.say(session, '["100%25"]')
      expect(await stream.until('\r\n\r\n')).to.equal(event('a["100%2525"]'))
    })

    it('allows the page’s origin', async () => {
      const { headers } = await bed.get(`${bed.session('/close')}/eventsource`, { Origin: ELSEWHERE })
      expect(headers['access-control-allow-origin']).to.equal(ELSEWHERE)
    })

    it('ends with the close frame', async () => {
      const { body } = await bed.get(`${bed.session('/close')}/eventsource`)
      expect(body).to.equal(`\r\n${event('o')}${event('c[3000,"Go away!"]')}`)
    })

    for (const [service, limit] of Object.entries(LIMITS)) {
      it(`ends after ${limit} bytes on ${service}, what is around frames counted`, async () => {
        const session = bed.session(service)
        const stream = await bed.stream('GET', `${session}/eventsource`)
        await stream.until(event('o'))
        const filled = event('o').length + event('a[""]').length
        const text = 'x'.repeat(limit - filled - 1)
        await bed.say(session, `["${text}"]`)
        expect(await stream.until('"]\r\n\r\n')).to.equal(event(`a["${text}"]`))
        await bed.say(session, '["y"]')
        expect(await stream.rest()).to.equal(event('a["y"]'))
      })
    }
  })

  describe('htmlfile: `/htmlfile`', () => {
    const script = (frame: string) => `<script>\np(${JSON.stringify(frame)});\n</script>\r\n`
    const END = '</script>\r\n'

    const HEAD = `<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.callback;
    c.start();
    function p(d) {c.message(d);};
    window.onload = function() {c.stop();};
  </script>`

    it('starts with a page of more than 1 KiB, then sends a script for each frame', async () => {
      const session = bed.session()
      const stream = await bed.stream('GET', `${session}/htmlfile?c=%63allback`)
      expect(stream.status).to.equal(200)
      expectType(stream, 'text/html;charset=UTF-8')
      expectUncached(stream)
      const head = await stream.until('\r\n\r\n')
      expect(head.trim()).to.equal(HEAD)
      expect(head.length).to.be.above(1024)
      expect(await stream.until(END)).to.equal(script('o'))
      await bed.say(session, '["x"]')
      expect(await stream.until(END)).to.equal(script('a["x"]'))
    })

    it('has to be told the callback', async () => {
      const session = bed.session()
      const answer = await bed.get(`${session}/htmlfile`)
      expect(answer.status).to.equal(500)
      expect(answer.body).to.include('"callback" parameter required')
      expect((await bed.post(`${session}/xhr_send`, '["a"]')).status).to.equal(404)
    })

    // Newer than the protocol's text: a callback is a name, not a script.
    it('takes no script for a callback', async () => {
      for (const callback of ['alert(1)', '%3C/script%3E', 'a;b']) {
        const answer = await bed.get(`${bed.session()}/htmlfile?c=${callback}`)
        expect(answer.status).to.equal(500)
        expect(answer.body).to.equal('invalid "callback" parameter')
      }
    })

    it('ends with the close frame', async () => {
      const { body } = await bed.get(`${bed.session('/close')}/htmlfile?c=callback`)
      expect(body.endsWith(`\r\n\r\n${script('o')}${script('c[3000,"Go away!"]')}`)).to.equal(true)
    })

    for (const [service, limit] of Object.entries(LIMITS)) {
      it(`ends after ${limit} bytes on ${service}, what is around frames counted`, async () => {
        const session = bed.session(service)
        const stream = await bed.stream('GET', `${session}/htmlfile?c=callback`)
        await stream.until(script('o'))
        const filled = script('o').length + script('a[""]').length
        const text = 'x'.repeat(limit - filled - 1)
        await bed.say(session, `["${text}"]`)
        expect(await stream.until(END)).to.equal(script(`a["${text}"]`))
        await bed.say(session, '["y"]')
        expect(await stream.rest()).to.equal(script('a["y"]'))
      })
    }
  })
})
