import { expect } from 'chai'
import { readMessages } from '#server/transports/message-bodies.js'

const FORM = 'application/x-www-form-urlencoded'

describe('readMessages', () => {
  const read = (text: string, type: string | undefined, transport: 'xhr_send' | 'jsonp_send') =>
    readMessages(Buffer.from(text), { headers: { 'content-type': type } }, transport)

  const DEEP = '['.repeat(60_000)

  for (const [transport, type, text] of [
    ['xhr_send', 'text/plain', DEEP],
    ['jsonp_send', 'text/plain', DEEP],
    ['jsonp_send', FORM, `d=${encodeURIComponent(DEEP)}`],
    ['jsonp_send', `${FORM}; charset=UTF-8`, `x=%22&d=${encodeURIComponent(DEEP)}`],
  ] as const)
    it(`does not parse what is nested too deeply: ${transport}, ${type}`, () =>
      expect(read(text, type, transport)).to.deep.equal({ status: 400, text: 'Too complex' }))

  for (const [transport, type, text] of [
    ['xhr_send', undefined, '["a",1]'],
    ['xhr_send', 'text/plain; charset=UTF-8', '["a",1]'],
    ['jsonp_send', undefined, '["a",1]'],
    ['jsonp_send', `${FORM};charset=UTF-8`, 'd=%5B%22a%22%2C1%5D'],
  ] as const)
    it(`reads messages: ${transport}, ${type}`, () =>
      expect(read(text, type, transport)).to.deep.equal(['a', 1]))

  it('reads a form by jsonp_send only', () =>
    expect(read('d=%5B%5D', FORM, 'xhr_send')).to.deep.include({ status: 500, isOfOtherType: true }))
})
