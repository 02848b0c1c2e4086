import { expect } from 'chai'
import sinon from 'sinon'
import { PausedMessages } from '#server/socket/paused-messages.js'

describe('PausedMessages', () => {
  let room: number
  let received: unknown[]
  let onoverflow: sinon.SinonSpy
  let setPaused: sinon.SinonSpy
  let messages: PausedMessages

  beforeEach(() => {
    room = Number.POSITIVE_INFINITY
    received = []
    onoverflow = sinon.spy()
    setPaused = sinon.spy()
    messages = new PausedMessages({
      limit: 10,
      hasRoom: () => room > 0,
      receive: (text) => {
        room -= 1
        received.push(text)
      },
      onoverflow,
      setPaused,
    })
  })

  it('passes messages on while there is room, and pauses nothing', () => {
    for (const text of ['a', 'b']) messages.take(text)
    expect(received).to.deep.equal(['a', 'b'])
    expect(setPaused.callCount).to.equal(0)
  })

  it('keeps them while there is none, pauses the network, and goes on in order', () => {
    room = 1
    for (const text of ['a', 'b', { c: 1 }, 'd']) messages.take(text)
    expect(received).to.deep.equal(['a'])
    expect(setPaused.args).to.deep.equal([[true]])
    room = 2
    messages.resume()
    expect(received).to.deep.equal(['a', 'b', { c: 1 }])
    expect(setPaused.args).to.deep.equal([[true]])
    room = 2
    messages.resume()
    messages.take('e')
    expect(received).to.deep.equal(['a', 'b', { c: 1 }, 'd', 'e'])
    expect(setPaused.args).to.deep.equal([[true], [false]])
  })

  it('lets none overtake one that waits', () => {
    room = 0
    messages.take('a')
    room = 5
    messages.take('b')
    messages.resume()
    expect(received).to.deep.equal(['a', 'b'])
  })

  it('says so when more than the limit waits, and counts only what waits', () => {
    room = 0
    messages.take('12345')
    messages.take('67890')
    expect(onoverflow.callCount).to.equal(0)
    room = 1
    messages.resume()
    messages.take('12345')
    expect(onoverflow.callCount).to.equal(0)
    messages.take('x')
    expect(onoverflow.callCount).to.equal(1)
  })

  it('goes on after one that throws', () => {
    room = 0
    messages.take('a')
    messages.take('b')
    const broken = new PausedMessages({
      limit: 10,
      hasRoom: () => room > 0,
      receive: (text) => {
        received.push(text)
        if (text === 'a') throw new Error('no')
      },
      onoverflow,
      setPaused,
    })
    broken.take('a')
    broken.take('b')
    room = 5
    expect(() => broken.resume()).to.throw('no')
    broken.resume()
    expect(received).to.deep.equal(['a', 'b'])
  })

  it('forgets what waits when the connection is gone', () => {
    room = 0
    messages.take('a')
    messages.clear()
    room = 5
    messages.resume()
    expect(received).to.deep.equal([])
  })
})
