import { safe } from '@token-socket/contract/client'
import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'

describe('safe', () => {
  it('gives the answer', async () => {
    expect(await safe(Promise.resolve(5))).to.deep.equal([null, 5])
    expect(await safe(Promise.resolve(undefined))).to.deep.equal([null, undefined])
  })

  it('gives the error', async () => {
    const error = new RpcError('sold_out', 'Sold out', { left: 0 })
    expect(await safe(Promise.reject(error))).to.deep.equal([error, undefined])
  })

  it('makes an RpcError of anything else', async () => {
    const cause = new TypeError('of something else')
    const [error] = await safe(Promise.reject(cause))
    expect(error).to.include({ code: 'internal', message: 'of something else', cause })
    const [other] = await safe(Promise.reject(undefined))
    expect(RpcError.is(other)).to.equal(true)
  })
})
