import { expect } from 'chai'
import { TestBed } from './test-bed.js'

/** What opens a session, by transport: the method, and the end of the path. */
const OPENERS: Readonly<Record<string, readonly [method: string, path: string]>> = {
  'xhr-polling': ['POST', 'xhr'],
  'xhr-streaming': ['POST', 'xhr_streaming'],
  eventsource: ['GET', 'eventsource'],
  htmlfile: ['GET', 'htmlfile?c=callback'],
  'jsonp-polling': ['GET', 'jsonp?c=callback'],
}

describe('SockJS cookies: `JSESSIONID`, for load balancers', () => {
  let bed: TestBed

  before(async () => {
    bed = await TestBed.start()
  })

  after(() => bed.stop())

  for (const [transport, [method, path]] of Object.entries(OPENERS)) {
    it(`is set by ${transport}, where the service needs it`, async () => {
      const stream = await bed.stream(method, `${bed.session('/cookie_needed_echo')}/${path}`)
      expect(stream.status).to.equal(200)
      expect(stream.headers['set-cookie']).to.deep.equal(['JSESSIONID=dummy; path=/'])
      stream.abort()
    })

    it(`is not set by ${transport} elsewhere`, async () => {
      const stream = await bed.stream(method, `${bed.session()}/${path}`)
      expect(stream.headers).to.not.have.property('set-cookie')
      stream.abort()
    })
  }

  it('is set by what is sent, too', async () => {
    const session = await bed.open('/cookie_needed_echo')
    const headers = { 'Content-Type': 'text/plain' }
    for (const path of ['xhr_send', 'jsonp_send']) {
      const answer = await bed.post(`${session}/${path}`, '["a"]', headers)
      expect(answer.headers['set-cookie'], path).to.deep.equal(['JSESSIONID=dummy; path=/'])
    }
  })

  it('keeps the value that the client has, and nothing else of what it sends', async () => {
    const sent = {
      'JSESSIONID=abcdef': 'abcdef',
      'a=b; JSESSIONID=abcdef; c=d': 'abcdef',
      'JSESSIONID=': 'dummy',
      'JSESSIONID=%0d%0aX-Injected:1': '%0d%0aX-Injected:1',
      'JSESSIONID=a=b': 'a',
      '__proto__=x': 'dummy',
    }
    for (const [cookie, value] of Object.entries(sent)) {
      const path = `${bed.session('/cookie_needed_echo')}/xhr`
      const answer = await bed.post(path, '', { Cookie: cookie })
      expect(answer.body, cookie).to.equal('o\n')
      expect(answer.headers['set-cookie'], cookie).to.deep.equal([`JSESSIONID=${value}; path=/`])
      expect(answer.headers).to.not.have.property('x-injected')
    }
  })

  it('is not set where there is no session', async () => {
    for (const path of ['', '/info', '/iframe.html']) {
      const { headers } = await bed.get(`/cookie_needed_echo${path}`)
      expect(headers, path).to.not.have.property('set-cookie')
    }
  })
})
