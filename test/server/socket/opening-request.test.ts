import { expect } from 'chai'
import { checkOpeningOptions, readOpening } from '#server/socket/opening-request.js'
import { thrownBy } from '../../protocol/rejection.js'

const request = {
  url: `/sockets/websocket?name=ann&name=bob&__proto__=x&secret=no&empty=&long=${'x'.repeat(2049)}`,
  headers: { 'user-agent': 'a browser', 'set-cookie': ['a', 'b'], cookie: 'secret' },
}

describe('readOpening', () => {
  it('keeps what is named, and headers by their names in lower case', () => {
    const options = {
      connectionHeaders: ['User-Agent', 'set-cookie', 'x-other'],
      connectionQuery: ['name', 'empty', 'other'],
    }
    expect(readOpening(request, options)).to.deep.equal({
      query: { name: 'ann', empty: '' },
      headers: { 'user-agent': 'a browser', 'set-cookie': 'a, b' },
    })
  })

  it('keeps nothing where nothing is named, or came, and no value of more than 2,048 characters', () => {
    expect(readOpening(request, {})).to.equal(undefined)
    expect(readOpening(request, { connectionQuery: ['other', 'long'] })).to.equal(undefined)
    expect(readOpening({ headers: {} }, { connectionQuery: ['name'] })).to.equal(undefined)
  })

  it('makes an own property of any name', () => {
    const { query = {} } = readOpening(request, { connectionQuery: ['__proto__', 'toString'] }) ?? {}
    expect(Object.entries(query)).to.deep.equal([['__proto__', 'x']])
    expect(Object.getPrototypeOf(query)).to.equal(Object.prototype)
  })
})

describe('checkOpeningOptions', () => {
  it('takes lists of names only', () => {
    for (const names of ['name', [1], [''], {}, null])
      for (const option of ['connectionHeaders', 'connectionQuery']) {
        const options = { connectionHeaders: [], connectionQuery: [], [option]: names } as never
        expect(thrownBy(() => checkOpeningOptions(options))).to.include({ code: 'bad_option' })
      }
  })
})
