import { expect } from 'chai'
import { TestBed } from './test-bed.js'

/** What servers have to escape besides control characters, since browsers change it on its way. */
const ESCAPED = /[\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/

/** Halves of characters beyond the first 65,536, which are no characters of their own. */
const SURROGATE = /[\ud800-\udfff]/

const EVERY = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code))

const escaped = (text: string) =>
  text
    .split('')
    .map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')

describe('SockJS, the encoding of text', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await TestBed.start()
  })

  afterEach(() => bed.stop())

  /** What a poll says, without the `a[` and `]` around it. */
  async function poll(session: string): Promise<string> {
    const { body } = await bed.post(`${session}/xhr`)
    expect(body.startsWith('a[') && body.endsWith(']\n')).to.equal(true)
    return body.slice(2, -2)
  }

  it('escapes what browsers change, in the answer to a poll', async () => {
    const text = EVERY.filter((one) => ESCAPED.test(one)).join('')
    const session = await bed.open()
    await bed.say(session, JSON.stringify([text]))
    expect(await poll(session)).to.equal(`"${escaped(text)}"`)
  })

  it('escapes control characters, if need be by their short names', async () => {
    const session = await bed.open()
    await bed.say(session, `["${escaped(EVERY.slice(0, 0x20).join(''))}"]`)
    const said = await poll(session)
    expect(said).to.match(/^[ -~]+$/)
    expect(JSON.parse(said)).to.equal(EVERY.slice(0, 0x20).join(''))
  })

  it('brings every character back by a poll, however it was written', async () => {
    const text = EVERY.filter((one) => !SURROGATE.test(one)).join('')
    const session = await bed.open()
    await bed.say(session, JSON.stringify([text]))
    expect(JSON.parse(await poll(session))).to.equal(text)
    await bed.say(session, `["${escaped(text)}"]`)
    expect(JSON.parse(await poll(session))).to.equal(text)
  })

  it('brings characters beyond the first 65,536 back, and halves of them', async () => {
    const session = await bed.open()
    for (const text of [
      '😀',
      '\ud83d',
      '\ude00\ud83d',
      EVERY.filter((one) => SURROGATE.test(one)).join(''),
    ]) {
      await bed.say(session, `["${escaped(text)}"]`)
      expect(JSON.parse(await poll(session))).to.equal(text)
    }
  })

  // WebSockets carry UTF-8 as it is: there is nothing to escape but what is none.
  it('brings every character back by WebSocket', async () => {
    const peer = bed.connect(`${bed.session()}/websocket`)
    await peer.frames.next()
    const text = EVERY.join('')
    peer.socket.send(`["${escaped(text)}"]`)
    expect(JSON.parse((await peer.frames.next()).slice(1))).to.deep.equal([text])
  })
})
