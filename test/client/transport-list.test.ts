import { RpcError } from '@token-socket/protocol'
import { connectionPair } from '@token-socket/protocol/testing'
import { expect } from 'chai'
import sinon from 'sinon'
import { type OpenTransport, TransportList } from '../../packages/client/src/transport-list.js'
import { errorOf } from './waiting.js'

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

  it('#open rejects with what the last failed with', async () => {
    const list = new TransportList([['websocket', fails]], 1000, {})
    expect(await errorOf(list.open(signal))).to.include({ code: 'transport_failed', message: 'no' })
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
