import { expect } from 'chai'
import { ERRORS, textOf, textOfField } from '#protocol/error-texts.js'
import { textOf as shortTextOf, textOfField as shortTextOfField } from '#protocol/short-error-texts.js'

describe('the short texts of errors', () => {
  it('are the texts of all builds, or the codes', () => {
    for (const code of Object.keys(ERRORS)) expect(shortTextOf(code)).to.be.oneOf([textOf(code), code])
    expect(shortTextOf('sold_out')).to.equal('sold_out')
  })

  it('say all that the other end reads', () => {
    for (const code of ['bad_message', 'forbidden', 'internal', 'invalid_token', 'not_found'])
      expect(shortTextOf(code)).to.equal(textOf(code))
  })

  it('name the field that is wrong, and what it has to be', () => {
    expect(textOfField('data.uid', 'text')).to.equal('data.uid has to be a string that is not empty')
    expect(shortTextOfField('data.uid', 'text')).to.equal('data.uid: text')
    expect(shortTextOfField('command')).to.equal('command: wrong')
  })
})
