import { expect } from 'chai'
import { TestBed } from './test-bed.js'

const GREETING = 'Welcome to SockJS!\n'
const PRELUDE = `${'h'.repeat(2048)}\n`
const GO_AWAY = 'c[3000,"Go away!"]\n'

/** A chunk of HTTP/1.1's chunked encoding. */
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

describe('SockJS over HTTP 1.0 and 1.1', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await TestBed.start()
  })

  afterEach(() => bed.stop())

  /** Splits an answer into its head and its body. */
  function parts(answer: string): readonly [head: string, body: string] {
    const at = answer.indexOf('\r\n\r\n')
    return [answer.slice(0, at).toLowerCase(), answer.slice(at + 4)]
  }

  for (const headers of [[], ['Connection: Keep-Alive']]) {
    const name = headers[0] ?? 'no `Connection`'

    it(`ends a greeting in HTTP 1.0, with ${name}, by closing the connection`, async () => {
      const exchange = await bed.raw('GET /echo HTTP/1.0', ...headers)
      const [head, body] = parts(await exchange.ended())
      expect(head).to.match(/^http\/1.[01] 200 /)
      expect(head).to.not.include('transfer-encoding')
      expect(head).to.include('\r\nconnection: close')
      expect(body).to.equal(GREETING)
    })

    it(`ends a stream in HTTP 1.0, with ${name}, by closing the connection`, async () => {
      const exchange = await bed.raw(`POST ${bed.session('/close')}/xhr_streaming HTTP/1.0`, ...headers)
      const [head, body] = parts(await exchange.ended())
      expect(head).to.match(/^http\/1.[01] 200 /)
      expect(head).to.not.include('transfer-encoding').and.not.include('content-length')
      expect(body).to.equal(`${PRELUDE}o\n${GO_AWAY}`)
    })
  }

  it('keeps an HTTP 1.1 connection for the next request', async () => {
    const exchange = await bed.raw('GET /echo HTTP/1.1', 'Connection: Keep-Alive')
    const first = await exchange.matching(/\r\n0\r\n\r\n$/)
    const [head, body] = parts(first)
    expect(head).to.match(/^http\/1.1 200 /)
    expect(head).to.include('\r\ntransfer-encoding: chunked').and.not.include('content-length')
    expect(head).to.not.include('\r\nconnection: close')
    expect(body).to.equal(chunk(GREETING) + chunk(''))
    exchange.write('GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    expect(parts((await exchange.ended()).slice(first.length))[0]).to.match(/^http\/1.1 200 /)
  })

  it('sends a stream in HTTP 1.1 in chunks, each a frame', async () => {
    const exchange = await bed.raw(
      `POST ${bed.session('/close')}/xhr_streaming HTTP/1.1`,
      'Connection: Keep-Alive',
      'Content-Length: 0',
    )
    const [head, body] = parts(await exchange.matching(/\r\n0\r\n\r\n$/))
    expect(head).to.include('\r\ntransfer-encoding: chunked').and.not.include('content-length')
    expect(body).to.equal([PRELUDE, 'o\n', GO_AWAY, ''].map(chunk).join(''))
    exchange.close()
  })

  it('takes what is sent in chunks', async () => {
    const session = await bed.open()
    const exchange = await bed.raw(
      `POST ${session}/xhr_send HTTP/1.1`,
      'Transfer-Encoding: chunked',
      'Connection: close',
    )
    for (const part of ['["a', 'b"]', '']) exchange.write(chunk(part))
    expect(await exchange.ended()).to.match(/^HTTP\/1.1 204 /)
    expect((await bed.post(`${session}/xhr`)).body).to.equal('a["ab"]\n')
  })
})
