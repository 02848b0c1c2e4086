import { constants } from 'node:buffer'
import { expect } from 'chai'
import { batchLimit, isBodyTooComplex, isTooLarge, type Writing } from '#server/transports/message-limit.js'

/** Every way in which a message is written into a frame or a body. */
const WRITERS: Readonly<Record<Writing, (message: string) => string>> = {
  plain: (message) => message,
  quoted: (message) => escapeMore(JSON.stringify([message])),
  form: (message) => new URLSearchParams({ d: escapeMore(JSON.stringify([message])) }).toString(),
}

/** As sockjs-client has it: some characters more than JSON needs. */
function escapeMore(json: string): string {
  const isEscaped = (code: number) => (code >= 0xd800 && code <= 0xdfff) || (code >= 0x300 && code <= 0x333)
  const each = json.split('').map((one) => {
    const code = one.charCodeAt(0)
    return isEscaped(code) ? `\\u${code.toString(16).padStart(4, '0')}` : one
  })
  return each.join('')
}

describe('batchLimit', () => {
  const LIMIT = 60_000
  const filled = (one: string) => one.repeat(LIMIT / Buffer.byteLength(one))

  for (const writing of ['plain', 'quoted', 'form'] as const) {
    for (const [what, one] of [
      ['letters', 'x'],
      ['quotes', '"'],
      ['backslashes', '\\'],
      ['accents of their own', '\u0300'],
      ['characters of three bytes', '€'],
      ['characters of four bytes', '😀'],
    ] as const) {
      it(`lets a ${writing} message of just its own limit through: ${what}`, () => {
        const written = Buffer.byteLength(WRITERS[writing](filled(one)))
        expect(written).to.be.at.most(batchLimit(LIMIT, writing))
      })
    }
  }

  it('leaves 64 KiB to small messages, however small the limit of one', () => {
    expect(batchLimit(1, 'plain')).to.equal(64 * 1024 + 16)
    expect(batchLimit(1, 'quoted')).to.equal(3 * 64 * 1024 + 16)
    expect(batchLimit(1, 'form')).to.equal(6 * 64 * 1024 + 16)
  })

  it('is never above what a text can have', () => {
    for (const message of [2 ** 30, 2 ** 31, Number.POSITIVE_INFINITY]) {
      expect(batchLimit(message, 'quoted')).to.equal(constants.MAX_STRING_LENGTH)
    }
  })
})

describe('isTooLarge', () => {
  for (const [what, message, bytes] of [
    ['letters', 'abc', 3],
    ['characters of two bytes', 'éé', 4],
    ['characters of three bytes', '€€', 6],
    ['characters of four bytes', '😀', 4],
    ['no text: its JSON', { a: 'é' }, 10],
    ['null', null, 4],
    ['nothing', '', 0],
  ] as const) {
    it(`counts the bytes of ${what}`, () => {
      expect(isTooLarge(message, bytes)).to.equal(false)
      expect(isTooLarge(message, bytes - 1)).to.equal(true)
    })
  }

  it('is true of what is nested too deeply to have JSON', () => {
    const depth = 100_000
    const deep: unknown = JSON.parse('['.repeat(depth) + ']'.repeat(depth))
    expect(isTooLarge(deep, 10 * depth)).to.equal(true)
  })
})

describe('isBodyTooComplex', () => {
  const deep = '['.repeat(60_000)
  const encoded = encodeURIComponent(deep)

  for (const [what, body, isForm] of [
    ['a plain body', deep, false],
    ['a plain body with an escaped quote', `["a%22",${deep}`, false],
    ['a form', `d=${encoded}`, true],
    ['a form that does not escape', `d=${deep}`, true],
    ['a form of lowercase escapes', `d=${encoded.toLowerCase()}`, true],
    ['a form behind a field with a quote', `x=%22&d=${encoded}`, true],
    ['a form that escapes the name of the field', `%64=${encoded}`, true],
  ] as const) {
    it(`is true of ${what}`, () => expect(isBodyTooComplex(Buffer.from(body), isForm)).to.equal(true))
  }

  for (const [what, body, isForm] of [
    ['brackets in a text', JSON.stringify([deep]), false],
    ['brackets in a text of a form', `d=${encodeURIComponent(JSON.stringify([deep]))}`, true],
    ['a field that is not read', `d=%5B%22a%22%5D&x=${encoded}`, true],
    ['a form without the field', `x=${encoded}`, true],
  ] as const) {
    it(`is false of ${what}`, () => expect(isBodyTooComplex(Buffer.from(body), isForm)).to.equal(false))
  }
})
