import { expect } from 'chai'
import {
  ELSEWHERE,
  expect405,
  expectCached,
  expectCors,
  expectNoCors,
  expectPreflight,
  expectType,
  expectUncached,
} from './expectations.js'
import { TestBed } from './test-bed.js'

describe('SockJS, the URLs without a session', () => {
  let bed: TestBed

  before(async () => {
    bed = await TestBed.start()
  })

  after(() => bed.stop())

  describe('greeting: `/`', () => {
    for (const path of ['/echo', '/echo/']) {
      it(`${path} welcomes`, async () => {
        const answer = await bed.get(path)
        expect(answer.status).to.equal(200)
        expect(answer.body).to.equal('Welcome to SockJS!\n')
        expectType(answer, 'text/plain;charset=UTF-8')
        expect(answer.headers).to.not.have.property('set-cookie')
      })
    }

    for (const path of ['/a', '/a.html', '//', '///', '/a/a', '/a/a/', '/a/']) {
      it(`${path} is not found`, async () => {
        expect((await bed.get(`/echo${path}`)).status).to.equal(404)
      })
    }

    it('takes GET only', async () => {
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
        expect405(await bed.ask({ method, path: '/echo' }), ['GET'])
      }
    })
  })

  describe('iframe page: `/iframe*.html`', () => {
    const good = ['', '-a', '-', '-0.1.2', '-0.1.2abc-dirty.2144']
    for (const version of [...good, ...good.map((one) => `${one}?t=q1`)]) {
      const [name, query] = version.split('?')
      const path = `/echo/iframe${name}.html${query ? `?${query}` : ''}`

      it(`${path} is the page, to be kept for long`, async () => {
        const answer = await bed.get(path)
        expect(answer.status).to.equal(200)
        expectType(answer, 'text/html;charset=UTF-8')
        expectCached(answer)
        expect(answer.headers.etag).to.match(/^".+"$/)
        expect(answer.headers).to.not.have.property('set-cookie')
      })
    }

    // The protocol defines a callback first and loads the client after it. This page is that of newer SockJS servers,
    // which loads the client first: both do for every client since 0.3.
    it('loads the client, lets it in from the page’s domain, and starts it', async () => {
      const { body } = await bed.get('/cookie_needed_echo/iframe.html')
      expect(body).to.match(/^<!DOCTYPE html>\n<html>/)
      expect(body).to.include('<meta http-equiv="X-UA-Compatible" content="IE=edge" />')
      expect(body).to.include('<meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />')
      // With more than the protocol has: the hash of the script, which the browser checks.
      expect(body).to.match(/<script src="https:[^"]+" integrity="sha384-[^"]+"[^>]*><\/script>/)
      expect(body).to.match(/document\.domain = document\.domain;\s+SockJS\.bootstrap_iframe\(\);/)
      expect(body).to.match(/<\/html>$/)
    })

    it('is the same under every version, and is not sent again to whoever has it', async () => {
      const [first, second] = [await bed.get('/echo/iframe.html'), await bed.get('/echo/iframe-1.html')]
      expect(first.headers.etag).to.equal(second.headers.etag)
      const again = await bed.get('/echo/iframe.html', { 'If-None-Match': String(first.headers.etag) })
      expect(again.status).to.equal(304)
      expect(again.headers).to.not.have.property('content-type')
      expect(again.body).to.equal('')
      const other = await bed.get('/echo/iframe.html', { 'If-None-Match': '"other"' })
      expect(other.status).to.equal(200)
    })

    for (const name of ['iframe.htm', 'iframe', 'IFRAME.HTML', 'IFRAME', 'iframe.HTML', 'iframe.xml']) {
      it(`/${name} is not found`, async () => {
        expect((await bed.get(`/echo/${name}`)).status).to.equal(404)
      })
    }

    it('/iframe-/.html is not found', async () => {
      expect((await bed.get('/echo/iframe-/.html')).status).to.equal(404)
    })

    it('takes GET only', async () => {
      expect405(await bed.post('/echo/iframe.html'), ['GET'])
    })
  })

  describe('`/info`', () => {
    const info = async (service: string) => JSON.parse((await bed.get(`${service}/info`)).body)

    it('is JSON that nobody keeps, without a cookie', async () => {
      const answer = await bed.get('/echo/info')
      expect(answer.status).to.equal(200)
      expectType(answer, 'application/json;charset=UTF-8')
      expectUncached(answer)
      expect(answer.headers).to.not.have.property('set-cookie')
    })

    it('tells of WebSockets, of cookies, and of origins where every one is let in', async () => {
      const { entropy: _, ...rest } = await info('/echo')
      expect(rest).to.deep.equal({ websocket: true, cookie_needed: false, origins: ['*:*'] })
    })

    // The protocol has `["*:*"]` always, and says that nobody reads it. Here it would be untrue.
    it('tells nothing of origins where some are refused', async () => {
      const strict = await TestBed.start({ origins: [ELSEWHERE] })
      const { entropy: _, ...rest } = JSON.parse((await strict.get('/echo/info')).body)
      await strict.stop()
      expect(rest).to.deep.equal({ websocket: true, cookie_needed: false })
    })

    it('says where WebSockets are switched off', async () => {
      expect(await info('/disabled_websocket_echo')).to.include({ websocket: false, cookie_needed: false })
    })

    it('says where load balancers need cookies', async () => {
      expect(await info('/cookie_needed_echo')).to.include({ websocket: true, cookie_needed: true })
    })

    it('gives another 32 bits of chance each time', async () => {
      const numbers = new Set<number>()
      for (let count = 0; count < 5; count += 1) numbers.add((await info('/echo')).entropy)
      expect(numbers.size).to.be.above(1)
      for (const number of numbers) {
        expect(Number.isInteger(number)).to.equal(true)
        expect(number).to.be.within(0, 2 ** 32 - 1)
      }
    })

    it('is the same with a query, which clients add against caches', async () => {
      expect((await bed.get('/echo/info?t=1234')).status).to.equal(200)
    })

    it('may be read by pages of other origins', async () => {
      for (const origin of [ELSEWHERE, 'null']) {
        expectCors(await bed.get('/echo/info', { Origin: origin }), origin)
      }
    })

    // The protocol has `*` where no origin is named. The gate answers each origin by its name, and who names none is no
    // page of another origin: there is nothing to allow.
    it('allows nothing to whoever names no origin', async () => {
      expectNoCors(await bed.get('/echo/info'))
    })

    it('answers preflights', () => expectPreflight(bed, '/echo/info', 'OPTIONS, GET'))

    it('takes GET and OPTIONS only', async () => {
      expect405(await bed.post('/echo/info'), ['OPTIONS', 'GET'])
    })
  })

  // SockJS 0.1 asked for it, no client since 0.2 does. It reads bodies of any size.
  it('has no `/chunking_test`', async () => {
    expect((await bed.post('/echo/chunking_test')).status).to.equal(404)
    expect((await bed.options('/echo/chunking_test')).status).to.equal(404)
  })
})
