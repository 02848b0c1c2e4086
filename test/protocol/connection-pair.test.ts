import { connectionPair, type TestConnection } from '@token-socket/protocol/testing'
import { expect } from 'chai'

describe('connectionPair', () => {
  let left: TestConnection
  let right: TestConnection

  beforeEach(() => {
    const pair = connectionPair()
    left = pair.left
    right = pair.right
  })

  /** What an end hears, in order. */
  function heard(end: TestConnection, onmessage?: (text: unknown) => void): unknown[] {
    const events: unknown[] = []
    end.listen({
      message(text) {
        events.push(text)
        onmessage?.(text)
      },
      closed: (code, reason) => events.push([code, reason]),
    })
    return events
  }

  it('gives two ends that are open', () => {
    for (const end of [left, right]) {
      expect(end).to.include({ transport: 'memory', bufferedBytes: 0, batches: 0, closed: undefined })
      expect(end.sent).to.deep.equal([])
    }
  })

  describe('#listen', () => {
    it('called again, replaces the listener, also by a listener that runs', () => {
      const later: unknown[] = []
      const first = heard(right, () => {
        right.listen({ message: (text) => later.push(text), closed: (...how) => later.push(how) })
      })
      left.send(['a', 'b'])
      left.close(1000, 'bye')
      expect([first, later]).to.deep.equal([['a'], ['b', [1000, 'bye']]])
    })
  })

  describe('#send', () => {
    it('delivers to the other end at once, in order', () => {
      const events = heard(right)
      left.send(['a', 'b'])
      left.send(['c'])
      expect(events).to.deep.equal(['a', 'b', 'c'])
    })

    it('delivers in both directions', () => {
      const [atLeft, atRight] = [heard(left), heard(right)]
      left.send(['to the right'])
      right.send(['to the left'])
      expect([atLeft, atRight]).to.deep.equal([['to the left'], ['to the right']])
    })

    it('records the messages, and how many batches they went in', () => {
      left.send(['a', 'b'])
      left.send(['c'])
      expect(left.sent).to.deep.equal(['a', 'b', 'c'])
      expect(left.batches).to.equal(2)
      expect(right.sent).to.deep.equal([])
    })

    it('keeps the order when the receiver’s answer makes the sender send more', () => {
      heard(left, (text) => left.send([`more after ${text}`]))
      const events = heard(right, (text) => text === 'a' && right.send(['answer']))
      left.send(['a', 'b'])
      expect(events).to.deep.equal(['a', 'b', 'more after answer'])
    })

    it('does nothing once the connection is closed', () => {
      const events = heard(right)
      left.close(4000, 'over')
      left.send(['late'])
      right.send(['late'])
      expect(events).to.deep.equal([[4000, 'over']])
      expect([left.sent, right.sent, left.batches]).to.deep.equal([[], [], 0])
    })
  })

  describe('#listen', () => {
    it('delivers what came before it', () => {
      left.send(['a', 'b'])
      const events = heard(right)
      expect(events).to.deep.equal(['a', 'b'])
      left.send(['c'])
      expect(events).to.deep.equal(['a', 'b', 'c'])
    })

    it('tells of an end that came before it, after the messages', () => {
      left.send(['a'])
      left.close(4000, 'over')
      expect(heard(right)).to.deep.equal(['a', [4000, 'over']])
    })

    it('keeps the order when an early message is answered', () => {
      heard(left, (text) => text === 'answer' && left.send(['more']))
      left.send(['a', 'b'])
      const events = heard(right, (text) => text === 'a' && right.send(['answer']))
      expect(events).to.deep.equal(['a', 'b', 'more'])
    })

    it('delivers no early message after the end, which comes once', () => {
      left.send(['a', 'b'])
      const events = heard(right, () => right.close(4001, 'enough'))
      expect(events).to.deep.equal(['a', [4001, 'enough']])
    })

    it('lets its listener hear one message at a time', () => {
      const steps: string[] = []
      heard(left, (text) => text === 'answer' && left.send(['more']))
      heard(right, (text) => {
        steps.push(`begin ${text}`)
        if (text === 'a') right.send(['answer'])
        steps.push(`end ${text}`)
      })
      left.send(['a'])
      expect(steps).to.deep.equal(['begin a', 'end a', 'begin more', 'end more'])
    })

    it('sends what comes next to the last listener only', () => {
      const [first, second] = [heard(right), heard(right)]
      left.send(['a'])
      left.close(4000, 'over')
      expect([first, second]).to.deep.equal([[], ['a', [4000, 'over']]])
    })
  })

  describe('#close', () => {
    it('closes both ends, and tells each once', () => {
      const [atLeft, atRight] = [heard(left), heard(right)]
      left.close(4000, 'over')
      right.close(4001, 'again')
      left.close(4002, 'again')
      expect([atLeft, atRight]).to.deep.equal([[[4000, 'over']], [[4000, 'over']]])
      expect([left.closed, right.closed]).to.deep.equal([
        { code: 4000, reason: 'over' },
        { code: 4000, reason: 'over' },
      ])
    })

    it('delivers first what was sent before', () => {
      const events = heard(right, (text) => {
        if (text === 'a') right.send(['answer'])
      })
      heard(left, () => {
        left.send(['b'])
        left.close(4000, 'over')
      })
      left.send(['a'])
      expect(events).to.deep.equal(['a', 'b', [4000, 'over']])
    })

    it('stops what still comes when it is called while a message is heard', () => {
      const events = heard(right, () => right.close(4001, 'enough'))
      left.send(['a', 'b', 'c'])
      expect(events).to.deep.equal(['a', [4001, 'enough']])
    })

    it('can be called by an end that nobody listens to', () => {
      left.close(4000, 'over')
      expect(right.closed).to.deep.equal({ code: 4000, reason: 'over' })
    })
  })

  describe('#receive', () => {
    it('plays a message of any type', () => {
      const events = heard(left)
      for (const text of ['text', { a: 1 }, 5, null]) left.receive(text)
      expect(events).to.deep.equal(['text', { a: 1 }, 5, null])
    })

    it('ignores messages after the end', () => {
      const events = heard(left)
      left.close(4000, 'over')
      left.receive('late')
      expect(events).to.deep.equal([[4000, 'over']])
    })

    it('goes on after a listener that throws', () => {
      const events = heard(left, (text) => {
        if (text === 'bad') throw new Error('no')
      })
      expect(() => left.receive('bad')).to.throw('no')
      left.receive('good')
      expect(events).to.deep.equal(['bad', 'good'])
    })
  })

  describe('#hold and #release', () => {
    it('hold back what this end sends, and deliver it in order', () => {
      const events = heard(right)
      left.hold()
      left.send(['a'])
      left.send(['b'])
      expect(events).to.deep.equal([])
      expect(left.sent).to.deep.equal(['a', 'b'])
      left.release()
      expect(events).to.deep.equal(['a', 'b'])
      left.send(['c'])
      expect(events).to.deep.equal(['a', 'b', 'c'])
    })

    it('leave the other direction alone', () => {
      const events = heard(left)
      left.hold()
      right.send(['a'])
      expect(events).to.deep.equal(['a'])
    })

    it('keep what waits when it is held twice', () => {
      const events = heard(right)
      left.hold()
      left.send(['a'])
      left.hold()
      left.release()
      expect(events).to.deep.equal(['a'])
    })

    it('keep the order when delivering makes this end send more', () => {
      heard(left, () => left.send(['more']))
      const events = heard(right, (text) => text === 'a' && right.send(['answer']))
      left.hold()
      left.send(['a', 'b'])
      left.release()
      expect(events).to.deep.equal(['a', 'b', 'more'])
    })

    it('lose what waits when the connection is closed', () => {
      const events = heard(right)
      left.hold()
      left.send(['a'])
      left.close(4000, 'over')
      left.release()
      expect(events).to.deep.equal([[4000, 'over']])
    })

    it('deliver nothing when nothing waits', () => {
      const events = heard(right)
      left.release()
      expect(events).to.deep.equal([])
    })
  })
})
