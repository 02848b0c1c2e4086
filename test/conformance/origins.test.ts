import { once } from 'node:events'
import { expect } from 'chai'
import { ELSEWHERE, expectCors, expectNoCors } from './expectations.js'
import { TestBed } from './test-bed.js'

/**
 * The protocol lets every page in, with its cookies: `*`, or the page's origin, in every answer. TokenSocket lets in the
 * server's own pages, and those of other origins that its `origins` option names; so any page's script could otherwise
 * speak in the name of whoever looks at it. The other tests of this folder have the option open.
 */
describe('SockJS, where origins are judged', () => {
  const ALLOWED = 'https://app.example.com'
  let bed: TestBed

  beforeEach(async () => {
    bed = await TestBed.start({ origins: [ALLOWED] })
  })

  afterEach(() => bed.stop())

  const asks: readonly [method: string, path: string][] = [
    ['GET', ''],
    ['GET', '/info'],
    ['OPTIONS', '/info'],
    ['GET', '/iframe.html'],
    ['OPTIONS', '/000/a/xhr'],
    ['POST', '/000/b/xhr'],
    ['POST', '/000/c/xhr_streaming'],
    ['GET', '/000/d/eventsource'],
    ['GET', '/000/e/htmlfile?c=f'],
    ['GET', '/000/f/jsonp?c=f'],
  ]

  for (const [method, path] of asks) {
    it(`${method} /close${path} is for pages that are allowed, by name`, async () => {
      const ask = (headers: Record<string, string>) => bed.ask({ method, path: `/close${path}`, headers })
      expectCors(await ask({ Origin: ALLOWED }), ALLOWED)
      for (const origin of [ELSEWHERE, 'null', `${ALLOWED}.evil.com`, 'x']) {
        const refused = await ask({ Origin: origin })
        expect(refused.status, origin).to.equal(403)
        expectNoCors(refused)
      }
    })
  }

  it('lets a WebSocket open for pages that are allowed', async () => {
    for (const path of ['/echo/websocket', '/echo/0/0/websocket']) {
      for (const origin of [ALLOWED, bed.origin]) {
        await once(bed.connect(path, { origin }).socket, 'open')
      }
      for (const origin of [ELSEWHERE, 'null']) {
        const { socket } = bed.connect(path, { origin })
        const [, response] = await once(socket, 'unexpected-response')
        expect(response.statusCode).to.equal(403)
        socket.terminate()
      }
    }
  })

  it('lets in who names no origin, which no page of another origin can', async () => {
    expect((await bed.get('/echo/info')).status).to.equal(200)
    expect(await bed.open()).to.include('/echo/')
  })

  // To the protocol, who knows a session's id may use it.
  it('keeps a session to the page that opened it', async () => {
    const session = bed.session()
    await bed.post(`${session}/xhr`, '', { Origin: ALLOWED })
    expect((await bed.post(`${session}/xhr`)).status).to.equal(404)
    expect((await bed.post(`${session}/xhr_send`, '["a"]')).status).to.equal(404)
    const sent = await bed.post(`${session}/xhr_send`, '["a"]', { Origin: ALLOWED })
    expect(sent.status).to.equal(204)
  })
})
