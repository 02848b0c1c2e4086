import { expect } from 'chai'
import { expectNoCors } from './expectations.js'
import { type Answer, TestBed } from './test-bed.js'

const ALLOWED = 'https://app.example.com'
const FOREIGN = 'https://evil.example.com'

type Headers = Readonly<Record<string, string>>

/** Who asks, by what its browser says of it. */
const ASKERS: Readonly<Record<string, (bed: TestBed) => Headers>> = {
  'no origin': () => ({}),
  'the same origin': (bed) => ({ Origin: bed.origin }),
  'the same origin, as browsers get': () => ({ 'Sec-Fetch-Site': 'same-origin' }),
  'an allowed origin': () => ({ Origin: ALLOWED }),
  'a foreign origin': () => ({ Origin: FOREIGN }),
  'the origin null': () => ({ Origin: 'null' }),
}

/** Where origins are set how, and who is let in there. */
const SETTINGS = {
  'where one is listed': {
    settings: { origins: [ALLOWED] },
    welcome: ['no origin', 'the same origin', 'the same origin, as browsers get', 'an allowed origin'],
  },
  'where one is listed, and origins are required': {
    settings: { origins: [ALLOWED], requireOrigin: true },
    welcome: ['the same origin', 'the same origin, as browsers get', 'an allowed origin'],
  },
  'where `null` is listed': {
    settings: { origins: ['null'] },
    welcome: ['no origin', 'the same origin', 'the same origin, as browsers get', 'the origin null'],
  },
  'where every origin is let in': {
    settings: { origins: '*' },
    welcome: Object.keys(ASKERS),
  },
  'where every origin is let in, but has to be named': {
    settings: { origins: '*', requireOrigin: true },
    welcome: Object.keys(ASKERS).filter((asker) => asker !== 'no origin'),
  },
} as const

/** What can be asked without a session, or opens one. Those of `/close` end by themselves. */
const ASKS: Readonly<Record<string, readonly [method: string, path: string, status: number]>> = {
  'the greeting': ['GET', '', 200],
  info: ['GET', '/info', 200],
  'a preflight of info': ['OPTIONS', '/info', 204],
  'the iframe page': ['GET', '/iframe.html', 200],
  'xhr-polling': ['POST', '/000/{id}/xhr', 200],
  'a preflight of xhr-polling': ['OPTIONS', '/000/{id}/xhr', 204],
  'xhr-streaming': ['POST', '/000/{id}/xhr_streaming', 200],
  'a preflight of xhr-streaming': ['OPTIONS', '/000/{id}/xhr_streaming', 204],
  'a preflight of xhr_send': ['OPTIONS', '/000/{id}/xhr_send', 204],
  eventsource: ['GET', '/000/{id}/eventsource', 200],
  htmlfile: ['GET', '/000/{id}/htmlfile?c=f', 200],
  'jsonp-polling': ['GET', '/000/{id}/jsonp?c=f', 200],
  'a method that is not known': ['PUT', '/000/{id}/xhr', 405],
  'a broken request for htmlfile': ['GET', '/000/{id}/htmlfile', 500],
  'a WebSocket without its upgrade': ['GET', '/websocket', 400],
}

const WEBSOCKETS = { 'plain WebSocket': '/echo/websocket', 'SockJS’s WebSocket': '/echo/000/abc/websocket' }

const HANDSHAKE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==',
]

/** The answer's headers are for this asker: its own origin, if it names one that is let in, and else nothing. */
function expectAnswerTo({ Origin: origin }: Headers, answer: Answer, isWelcome: boolean): void {
  expect(answer.headers.vary).to.equal('Origin')
  if (!isWelcome) return expectNoCors(answer)
  const names = ['origin', 'credentials', 'headers'].map((name) => `access-control-allow-${name}`)
  if (origin === undefined) return void expect(answer.headers).to.not.have.any.keys(...names)
  expect(answer.headers['access-control-allow-origin']).to.equal(origin)
  expect(answer.headers['access-control-allow-credentials']).to.equal('true')
  expect(answer.headers['access-control-allow-headers']).to.equal('x-asked')
}

/** Every transport and who may use it. The gate alone decides: sockjs would answer each transport in a way of its own. */
describe('SockJS, who is let in', () => {
  for (const [where, { settings, welcome }] of Object.entries(SETTINGS)) {
    describe(where, () => {
      let bed: TestBed

      before(async () => {
        bed = await TestBed.start(settings)
      })

      after(() => bed.stop())

      for (const [asker, headersOf] of Object.entries(ASKERS)) {
        const isWelcome = (welcome as readonly string[]).includes(asker)
        const verb = isWelcome ? 'lets in' : 'refuses'
        /** With a header that a page may ask for, which is answered to those alone who are let in. */
        const asking = () => ({ ...headersOf(bed), 'Access-Control-Request-Headers': 'x-asked' })

        for (const [what, [method, end, status]] of Object.entries(ASKS)) {
          it(`${verb} ${asker} for ${what}`, async () => {
            const path = bed.session('/close').replace(/\/000\/(.+)/, (_, id) => end.replace('{id}', id))
            const answer = await bed.ask({ method, path, headers: asking() })
            expect(answer.status).to.equal(isWelcome ? status : 403)
            expectAnswerTo(headersOf(bed), answer, isWelcome)
          })
        }

        for (const [send, body, status] of [
          ['xhr_send', '["a"]', 204],
          ['jsonp_send', '["a"]', 200],
        ] as const) {
          it(`${verb} ${asker} for ${send}`, async () => {
            const session = bed.session()
            // Whoever is refused tries the session of somebody who is not.
            const opener = isWelcome ? headersOf(bed) : { Origin: bed.origin }
            expect((await bed.post(`${session}/xhr`, '', opener)).body).to.equal('o\n')
            const answer = await bed.post(`${session}/${send}`, body, {
              ...asking(),
              'Content-Type': 'text/plain',
            })
            expect(answer.status).to.equal(isWelcome ? status : 403)
            expectAnswerTo(headersOf(bed), answer, isWelcome)
          })
        }

        for (const [what, path] of Object.entries(WEBSOCKETS)) {
          it(`${verb} ${asker} for ${what}`, async () => {
            const headers = Object.entries(headersOf(bed)).map(([name, value]) => `${name}: ${value}`)
            const lines = [`GET ${path} HTTP/1.1`, ...HANDSHAKE, ...headers]
            const exchange = await bed.rawAt(new URL(bed.origin).host, ...lines)
            const head = await exchange.matching(/\r\n\r\n/)
            expect(head).to.match(isWelcome ? /^HTTP\/1.1 101 / : /^HTTP\/1.1 403 /)
            expect(head.toLowerCase()).to.not.include('access-control-')
            exchange.close()
          })
        }
      }
    })
  }
})
