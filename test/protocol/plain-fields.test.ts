import { expect } from 'chai'
import * as usual from '#protocol/plain-fields.js'
import * as short from '#protocol/short-plain-fields.js'

describe('#plainFields', () => {
  for (const [form, { plainFields }] of Object.entries({ usual, short }))
    it(`gives the text and the fields of an error, in the ${form} form`, () => {
      const error = Object.assign(new Error('Sold out'), { left: 0 })
      expect(plainFields(error)).to.deep.equal({ message: 'Sold out', left: 0 })
    })

  it('gives no paths of the system', () => {
    const error = Object.assign(new Error('no'), { syscall: 'open', code: 'ENOENT', path: '/home' })
    expect(usual.plainFields(error)).to.deep.equal({ message: 'no', code: 'ENOENT' })
  })
})
