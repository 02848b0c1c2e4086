import { RpcError } from '@token-socket/protocol'
import { connectionPair } from '@token-socket/protocol/testing'
import { expect } from 'chai'
import sinon from 'sinon'
import { type OpenTransport, TransportList } from '#client/connection/transport-list.js'
import { errorOf } from '../waiting.js'

describe('TransportList', () => {
  const works: OpenTransport = async () => connectionPair().left
  const fails: OpenTransport = () => Promise.reject(new RpcError('transport_failed', 'no'))
  const hangs: OpenTransport = () => new Promise(() => {})
  const { signal } = new AbortController()

  afterEach(() => sinon.restore())

  it('#open gives the first that works', async () => {
    const list = new TransportList(
      [
        ['websocket', fails],
        ['sockjs', works],
      ],
      1000,
      {},
    )
    expect(await list.open(signal)).to.have.property('name', 'sockjs')
  })

  it('#open goes on when one does not open in time', async () => {
    const clock = sinon.useFakeTimers()
    const list = new TransportList(
      [
        ['websocket', hangs],
        ['sockjs', works],
      ],
      1000,
      {},
    )
    const opened = list.open(signal)
    await clock.tickAsync(1000)
    expect(await opened).to.have.property('name', 'sockjs')
  })

  it('#open rejects with what the last failed with, and says why each did', async () => {
    const refuses: OpenTransport = () =>
      Promise.reject(new RpcError('transport_failed', 'never', { code: 4501 }))
    const list = new TransportList(
      [
        ['websocket', fails],
        ['sockjs', refuses],
      ],
      1000,
      {},
    )
    const error = await errorOf(list.open(signal))
    expect(error).to.include({
      code: 'transport_failed',
      message: 'websocket failed: websocket: no; sockjs failed: sockjs: never',
    })
    expect(error.data).to.deep.equal({ code: 4501 })
    expect(error).to.have.nested.property('cause.message', 'never')
  })

  it('#open calls what a transport throws `transport_failed`', async () => {
    const throws: OpenTransport = () => Promise.reject(new SyntaxError('no URL'))
    const list = new TransportList([['websocket', throws]], 1000, {})
    expect(await errorOf(list.open(signal))).to.have.property('code', 'transport_failed')
  })

  it('#open tries no further once it is given up', async () => {
    const abort = new AbortController()
    const second = sinon.spy(works)
    const list = new TransportList(
      [
        ['websocket', hangs],
        ['sockjs', second],
      ],
      1000,
      {},
    )
    const opened = list.open(abort.signal)
    abort.abort(new Error('enough'))
    expect(await errorOf(opened)).to.have.property('message', 'enough')
    expect(second.called).to.equal(false)
  })

  describe('while none has worked yet', () => {
    const slow: OpenTransport = () =>
      new Promise((resolve) => {
        setTimeout(() => resolve(connectionPair().left), 4000)
      })
    const both = (first: OpenTransport, second: OpenTransport) =>
      new TransportList(
        [
          ['websocket', first],
          ['sockjs', second],
        ],
        10_000,
        {},
      )
    let clock: sinon.SinonFakeTimers

    beforeEach(() => {
      clock = sinon.useFakeTimers()
    })

    it('#open gives 3 s to one that another follows', async () => {
      const opened = both(hangs, works).open(signal)
      await clock.tickAsync(3000)
      expect(await opened).to.include({ name: 'sockjs', timeout: 10_000 })
    })

    it('#open gives the last one its whole time', async () => {
      const opened = both(fails, slow).open(signal)
      await clock.tickAsync(4000)
      expect(await opened).to.have.property('name', 'sockjs')
    })

    it('#open gives more after each time that all failed, for networks that are slow', async () => {
      const list = both(slow, fails)
      const failed = errorOf(list.open(signal))
      await clock.tickAsync(3000)
      await failed
      const opened = list.open(signal)
      await clock.tickAsync(4000)
      expect(await opened).to.have.property('name', 'websocket')
    })

    it('#open gives the server’s answer no more either', async () => {
      expect(await both(works, works).open(signal)).to.include({ name: 'websocket', timeout: 3000 })
    })

    it('#open gives one that has worked its whole time', async () => {
      const list = both(slow, works)
      list.prefer('websocket')
      const opened = list.open(signal)
      await clock.tickAsync(4000)
      expect(await opened).to.include({ name: 'websocket', timeout: 10_000 })
    })
  })

  it('#demote makes one the last, and gives the next more time', async () => {
    const list = new TransportList(
      [
        ['websocket', works],
        ['sockjs', works],
      ],
      10_000,
      {},
    )
    list.demote('websocket')
    expect(await list.open(signal)).to.include({ name: 'sockjs', timeout: 6000 })
  })

  it('#open gives one that worked a second chance before it tries another', async () => {
    const list = new TransportList(
      [
        ['websocket', fails],
        ['sockjs', works],
      ],
      1000,
      {},
    )
    list.prefer('websocket')
    expect(await errorOf(list.open(signal))).to.include({
      code: 'transport_failed',
      message: 'websocket failed: websocket: no',
    })
    expect(await list.open(signal)).to.have.property('name', 'sockjs')
  })

  it('#prefer makes one the first', async () => {
    const list = new TransportList(
      [
        ['websocket', works],
        ['sockjs', works],
      ],
      1000,
      {},
    )
    list.prefer('sockjs')
    expect(await list.open(signal)).to.have.property('name', 'sockjs')
    list.prefer('websocket')
    expect(await list.open(signal)).to.have.property('name', 'websocket')
  })
})
