import { decodeClientMessage } from '@token-socket/protocol'
import { connectionPair } from '@token-socket/protocol/testing'
import { expect } from 'chai'
import sinon from 'sinon'
import { MessageConnection } from '#client/connection/message-connection.js'
import { turn } from '../waiting.js'

describe('Link', () => {
  function create() {
    const { left, right } = connectionPair()
    const listener = { receive: sinon.spy(), closed: sinon.spy() }
    const logger = { warn: sinon.spy() }
    const tap = sinon.spy()
    const link = new MessageConnection(left, listener, { logger, tap })
    return { link, near: left, far: right, listener, logger, tap }
  }

  const ping = (id: string) => ({ type: 'ping', id }) as const

  it('#send sends each message at once to the legacy server', () => {
    const { link, near } = create()
    link.send(ping('1'))
    link.send(ping('2'))
    expect(near.batches).to.equal(2)
  })

  it('#send sends the messages of one turn together, in order', async () => {
    const { link, near } = create()
    link.session = { version: 1, sid: 's' }
    link.send(ping('1'))
    link.send(ping('2'))
    await turn()
    expect(near.batches).to.equal(1)
    expect(near.sent.map((text) => decodeClientMessage(text))).to.deep.equal([ping('1'), ping('2')])
  })

  it('#send sends them also while a test tool has replaced queueMicrotask', async () => {
    sinon.useFakeTimers({ toFake: ['queueMicrotask'] })
    const { link, near } = create()
    link.session = { version: 1, sid: 's' }
    link.send(ping('1'))
    await turn()
    sinon.restore()
    expect(near.batches).to.equal(1)
  })

  it('shows each message as it comes and goes', () => {
    const { link, far, tap } = create()
    link.send(ping('1'))
    far.send(['{"channel":"a","message":1}'])
    expect(tap.args).to.deep.equal([
      ['frameOut', '{"rpc":"_ping","req":{},"uuid":"1"}'],
      ['frameIn', '{"channel":"a","message":1}'],
    ])
  })

  for (const [what, text] of Object.entries({
    ASCII: 'x',
    'two bytes': 'é',
    'three bytes': '漢',
    'four bytes': '😀',
  })) {
    for (const length of [1, 10, 700, 7000, 20_000]) {
      it(`#send makes no frame of several messages larger than 32 KiB (${what}, ${length} long)`, async () => {
        const { link, near } = create()
        link.session = { version: 1, sid: 's' }
        const frames: string[] = []
        near.send = (messages) => void frames.push(messages.join('\n'))
        const sent = Array.from({ length: 60 }, (_, index) => JSON.stringify([index, text.repeat(length)]))
        for (const message of sent) link.sendText(message)
        await turn()
        expect(frames.join('\n').split('\n')).to.deep.equal(sent)
        for (const frame of frames) {
          const isOne = !frame.includes('\n')
          expect(Buffer.byteLength(frame)).to.be.at.most(isOne ? Number.POSITIVE_INFINITY : 32_768)
        }
        if (length <= 700) expect(frames.length).to.be.below(sent.length)
      })
    }
  }

  it('#close sends what waits, and hears nothing any more', async () => {
    const { link, near, far, listener } = create()
    link.session = { version: 1, sid: 's' }
    link.send(ping('1'))
    link.close()
    link.close()
    far.receive('{}')
    link.send(ping('2'))
    await link.whenClosed
    expect(near.sent).to.have.length(1)
    expect(near.closed?.code).to.equal(4005)
    expect(listener.closed.called).to.equal(false)
    expect(listener.receive.called).to.equal(false)
  })

  it('#hold keeps what comes for the next listener', () => {
    const { link, far, listener } = create()
    link.hold()
    far.send(['{"channel":"a","message":1}', '{"channel":"a","message":2}'])
    const next = { receive: sinon.spy(), closed: sinon.spy() }
    link.listen(next)
    far.send(['{"channel":"a","message":3}'])
    expect(listener.receive.called).to.equal(false)
    expect(next.receive.args.map(([{ data }]) => data)).to.deep.equal([1, 2, 3])
  })

  it('#listen tells a new listener of a loss that it missed', () => {
    const { link, far } = create()
    far.close(4000, 'bye')
    const late = { receive: sinon.spy(), closed: sinon.spy() }
    link.listen(late)
    expect(late.closed.args).to.deep.equal([[4000, 'bye']])
  })

  it('reports a frame that is no message, and goes on', () => {
    const { far, listener, logger } = create()
    far.send(['nonsense', '{"channel":"a","message":1}'])
    expect(logger.warn.callCount).to.equal(1)
    expect(listener.receive.args[0]?.[0]).to.deep.equal({ type: 'publication', channel: 'a', data: 1 })
  })
})
