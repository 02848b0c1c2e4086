import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { expect } from 'chai'
import { answerOrigin } from '#server/transports/cors.js'

const ORIGIN = 'https://page.example.com'
const NAMES = ['allow-origin', 'allow-credentials', 'allow-headers'].map((name) => `access-control-${name}`)

function setAll(response: ServerResponse, names: readonly string[]): void {
  for (const name of names) response.setHeader(name, '*')
}

describe('answerOrigin', () => {
  function answer(headers: Record<string, string>, isAllowed = true): ServerResponse {
    const request = Object.assign(new IncomingMessage(new Socket()), { headers })
    const response = new ServerResponse(request)
    answerOrigin(request, response, isAllowed)
    return response
  }

  it('names the origin, and the headers that its page asks for', () => {
    const response = answer({ origin: ORIGIN, 'access-control-request-headers': 'x-a' })
    expect(response.getHeaders()).to.deep.include({
      vary: 'Origin',
      [String(NAMES[0])]: ORIGIN,
      [String(NAMES[1])]: 'true',
      [String(NAMES[2])]: 'x-a',
    })
  })

  it('names nobody who is not allowed, or who names no origin', () => {
    for (const response of [
      answer({ origin: ORIGIN }, false),
      answer({ 'access-control-request-headers': 'x' }),
    ]) {
      const names = response.getHeaderNames().filter((name) => name.startsWith('access-control-'))
      expect(names).to.deep.equal([])
      expect(response.getHeader('vary')).to.equal('Origin')
    }
  })

  it('lets pages embed it that embed only what says so, if they are allowed', () => {
    const policyOf = (isAllowed: boolean) =>
      answer({ origin: ORIGIN }, isAllowed).getHeader('cross-origin-resource-policy')
    expect(policyOf(true)).to.equal('cross-origin')
    expect(policyOf(false)).to.equal(undefined)
  })

  for (const [how, write] of [
    ['setHeader', (response: ServerResponse) => setAll(response, NAMES)],
    [
      'setHeader, in capitals',
      (response: ServerResponse) =>
        setAll(
          response,
          NAMES.map((name) => name.toUpperCase()),
        ),
    ],
    [
      'writeHead',
      (response: ServerResponse) =>
        response.writeHead(200, Object.fromEntries(NAMES.map((name) => [name, '*']))),
    ],
  ] as const) {
    it(`lets nobody change that by ${how}`, () => {
      for (const isAllowed of [true, false]) {
        const response = answer({ origin: ORIGIN }, isAllowed)
        const before = { ...response.getHeaders() }
        write(response)
        expect({ ...response.getHeaders() }).to.deep.equal(before)
      }
    })
  }

  it('leaves all other headers to whoever writes the response', () => {
    const response = answer({ origin: ORIGIN })
    expect(response.setHeader('Content-Type', 'text/plain')).to.equal(response)
    response.setHeader('Access-Control-Max-Age', 5)
    response.writeHead(200, { Allow: 'GET' })
    const headers = response.getHeaders()
    expect(headers).to.include({ 'content-type': 'text/plain', 'access-control-max-age': 5, allow: 'GET' })
  })
})
