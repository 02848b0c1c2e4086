import { expect } from 'chai'
import { expectType, expectUncached } from './expectations.js'
import { TestBed } from './test-bed.js'

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }

describe('SockJS by jsonp-polling: `/jsonp`, `/jsonp_send`', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await TestBed.start()
  })

  afterEach(() => bed.stop())

  // The comment is newer than the protocol's text: without it the callback would be the first bytes of an answer, which
  // a browser's plug-in may take for a file of its own.
  const call = (frame: string, callback = 'callback') => `/**/${callback}(${JSON.stringify(frame)});\r\n`

  const poll = (session: string) => bed.get(`${session}/jsonp?c=%63allback`)
  const send = (session: string, body: string, headers = FORM) =>
    bed.post(`${session}/jsonp_send`, body, headers)

  it('calls the callback with each frame', async () => {
    const session = bed.session()
    const answer = await poll(session)
    expect(answer.status).to.equal(200)
    expect(answer.body).to.equal(call('o'))
    expectType(answer, 'application/javascript;charset=UTF-8')
    expectUncached(answer)
    expect(answer.headers['x-content-type-options']).to.equal('nosniff')
    await send(session, 'd=%5B%22x%22%5D')
    expect((await poll(session)).body).to.equal(call('a["x"]'))
  })

  // Konqueror did strange things on 204.
  it('answers what is sent with `ok`', async () => {
    const session = bed.session()
    await poll(session)
    const answer = await send(session, 'd=%5B%22x%22%5D')
    expect([answer.status, answer.body]).to.deep.equal([200, 'ok'])
    expectType(answer, 'text/plain;charset=UTF-8')
    expectUncached(answer)
  })

  it('has to be told the callback, as `c` or `callback`', async () => {
    const answer = await bed.get(`${bed.session()}/jsonp`)
    expect(answer.status).to.equal(500)
    expect(answer.body).to.include('"callback" parameter required')
    expect((await bed.get(`${bed.session()}/jsonp?callback=x.y`)).body).to.equal(call('o', 'x.y'))
  })

  // Newer than the protocol's text: a callback is a name, not a script.
  it('takes no script, and no more than 32 characters, for a callback', async () => {
    for (const callback of ['alert(1)', '%3Cscript%3E', 'a%0Ab', 'x'.repeat(33)]) {
      const answer = await bed.get(`${bed.session()}/jsonp?c=${callback}`)
      expect(answer.status).to.equal(500)
      expect(answer.body).to.equal('invalid "callback" parameter')
    }
  })

  it('refuses what is no array of messages with 500, and goes on', async () => {
    const session = bed.session()
    await poll(session)
    const bodies = {
      'd=%5B%22x': 'Broken JSON encoding.',
      '': 'Payload expected.',
      'd=': 'Payload expected.',
      'p=p': 'Payload expected.',
      'd=5': 'Payload expected.',
    }
    for (const [body, text] of Object.entries(bodies)) {
      const answer = await send(session, body)
      expect(answer.status, body).to.equal(500)
      expect(answer.body, body).to.include(text)
    }
    expect((await send(session, 'd=%5B%22b%22%5D')).body).to.equal('ok')
    expect((await poll(session)).body).to.equal(call('a["b"]'))
  })

  it('takes forms, and plain text as it is', async () => {
    const session = bed.session()
    await poll(session)
    expect((await send(session, 'd=%5B%22abc%22%5D')).body).to.equal('ok')
    expect((await send(session, '["%61bc"]', { 'Content-Type': 'text/plain' })).body).to.equal('ok')
    expect((await poll(session)).body).to.equal(call('a["abc","%61bc"]'))
  })

  it('is not found where there is no session', async () => {
    expect((await send(bed.session(), 'd=%5B%22x%22%5D')).status).to.equal(404)
  })

  it('calls the callback with the close frame, as often as somebody asks', async () => {
    const session = bed.session('/close')
    expect((await poll(session)).body).to.equal(call('o'))
    for (let count = 0; count < 2; count += 1) {
      expect((await poll(session)).body).to.equal(call('c[3000,"Go away!"]'))
    }
  })

  it('serves the same session as XHR does', async () => {
    const session = await bed.open()
    await bed.say(session, '["a"]')
    expect((await poll(session)).body).to.equal(call('a["a"]'))
    await send(session, 'd=%5B%22b%22%5D')
    expect((await bed.post(`${session}/xhr`)).body).to.equal('a["b"]\n')
  })
})
