/** What the published suite of SockJS wants otherwise: each by choice, and named in docs/PROTOCOL.md. */
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { services } from './services.js'
import { TestBed } from './test-bed.js'

const text = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8')

/** Rows of the document's table, by the suite's name of a test. */
const documented = [...text.matchAll(/^\| `(\w+\.test_\w+)` \|/gm)].map(([, name]) => name)

describe('the published suite of SockJS fails', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await TestBed.start()
  })

  afterEach(() => bed.stop())

  /** Sends what the suite sends in a test, and expects what it gets instead of its wish. */
  const FAILURES: Readonly<Record<string, () => Promise<void>>> = {
    'Websocket.test_haproxy': async () => {
      const exchange = await bed.raw(
        `GET ${bed.session()}/websocket HTTP/1.1`,
        'Connection: Upgrade',
        'Upgrade: WebSocket',
        `Origin: ${bed.origin}`,
        'Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5',
        'Sec-WebSocket-Key2: 12998 5 Y3 1  .P00',
      )
      expect(await exchange.ended()).to.match(/^HTTP\/1.1 400 /)
    },
    'XhrPolling.test_transport': async () => {
      const session = bed.session()
      const headers = { Origin: 'test' }
      expect((await bed.post(`${session}/xhr`, '', headers)).body).to.equal('o\n')
      expect((await bed.post(`${session}/xhr_send`, '["x"]', headers)).status).to.equal(204)
      expect((await bed.post(`${session}/xhr`)).status).to.equal(404)
      expect((await bed.post(`${session}/xhr`, '', headers)).body).to.equal('a["x"]\n')
    },
    'XhrStreaming.test_transport': async () => {
      const session = bed.session()
      const stream = await bed.stream('POST', `${session}/xhr_streaming`, { Origin: 'test' })
      await stream.until('o\n')
      expect((await bed.post(`${session}/xhr_send`, '["x"]')).status).to.equal(404)
      expect((await bed.post(`${session}/xhr_send`, '["x"]', { Origin: 'test' })).status).to.equal(204)
      expect(await stream.until(']\n')).to.equal('a["x"]\n')
      stream.abort()
    },
  }

  for (const [name, fails] of Object.entries(FAILURES)) it(`in ${name}`, fails)

  it('in those only that docs/PROTOCOL.md names', () => {
    expect(documented).to.deep.equal(Object.keys(FAILURES))
  })

  // The suite's own expression for the page, which has room for nothing but an address.
  it('not in the iframe page: the services have the address of a script, and no hash', async () => {
    expect(Object.keys(services)).to.include('/echo')
    const { body } = await bed.get('/echo/iframe.html')
    expect(body).to.match(
      /<script src="https?:[^"]*"><\/script>\s*<script>\s*document\.domain = document\.domain;/,
    )
  })
})
