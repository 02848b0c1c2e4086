import { expect } from 'chai'
import sinon from 'sinon'
import { BatchFrames, encodeTextFrame, payloadOf } from '#server/transports/frame.js'
import { Carrier } from './carrier.js'

describe('encodeTextFrame', () => {
  for (const [size, header] of [
    [0, '8100'],
    [125, '817d'],
    [126, '817e007e'],
    [65_535, '817effff'],
    [65_536, '817f0000000000010000'],
  ] as const) {
    it(`frames ${size} bytes`, () => {
      const frame = encodeTextFrame('x'.repeat(size))
      expect(frame.subarray(0, header.length / 2).toString('hex')).to.equal(header)
      expect(frame.subarray(header.length / 2).toString()).to.equal('x'.repeat(size))
    })
  }

  for (const size of [0, 1, 125, 126, 65_535, 65_536]) {
    it(`frames ${size} bytes that payloadOf finds again`, () => {
      expect(payloadOf(encodeTextFrame('x'.repeat(size))).toString()).to.equal('x'.repeat(size))
    })
  }

  it('counts bytes, not characters', () => {
    const text = '😀'.repeat(40)
    const frame = encodeTextFrame(text)
    expect(frame.subarray(0, 4).toString('hex')).to.equal('817e00a0')
    expect(frame.subarray(4).toString()).to.equal(text)
  })

  it('makes UTF-8 of text that is none', () => {
    const frame = encodeTextFrame('\ud800')
    expect(frame.toString('hex')).to.equal('8103efbfbd')
  })

  it('is understood by a WebSocket client', async () => {
    const carrier = await Carrier.start()
    try {
      const { peer, guest } = await carrier.open('/sockets/websocket')
      const texts = [1, 125, 126, 127, 65_535, 65_536, 200_000].map((size) => 'é'.repeat(size))
      for (const text of texts) guest.connection.send([text])
      expect(await peer.frames.take(texts.length)).to.deep.equal(texts)
    } finally {
      await carrier.stop()
    }
  })
})

describe('BatchFrames', () => {
  const joiner = () => sinon.spy((messages: readonly string[]) => encodeTextFrame(messages.join('\n')))

  describe('#encode', () => {
    it('frames the messages, joined', () => {
      const frames = new BatchFrames(joiner())
      expect(frames.encode(['a', 'b'])).to.deep.equal(encodeTextFrame('a\nb'))
    })

    it('makes one frame for the same batch, whoever it is for', () => {
      const join = joiner()
      const frames = new BatchFrames(join)
      expect(frames.encode(['a', 'b'])).to.equal(frames.encode(['a', 'b']))
      expect(join.callCount).to.equal(1)
    })

    it('makes another for another batch', () => {
      const frames = new BatchFrames(joiner())
      const batches = [['a', 'b'], ['a'], ['a', 'b'], ['b', 'a'], ['a\nb', 'c'], ['a', 'b\nc'], []]
      for (const batch of batches) {
        expect(frames.encode(batch)).to.deep.equal(encodeTextFrame(batch.join('\n')))
      }
    })
  })

  describe('#forget', () => {
    it('makes the frame anew', () => {
      const join = joiner()
      const frames = new BatchFrames(join)
      const before = frames.encode(['a'])
      frames.forget()
      expect(frames.encode(['a'])).to.deep.equal(before)
      expect(join.callCount).to.equal(2)
    })

    it('is done for a large frame when the turn is over, and not before', async () => {
      const join = joiner()
      const frames = new BatchFrames(join)
      const [large, small] = [['x'.repeat(70_000)], ['y']]
      for (let socket = 0; socket < 3; socket += 1) frames.encode(large)
      expect(join.callCount).to.equal(1)
      await new Promise((resolve) => setImmediate(resolve))
      frames.encode(large)
      expect(join.callCount).to.equal(2)
      frames.encode(small)
      await new Promise((resolve) => setImmediate(resolve))
      frames.encode(small)
      // The large one's end of turn took it with it; from then on it is kept.
      await new Promise((resolve) => setImmediate(resolve))
      frames.encode(small)
      expect(join.callCount).to.equal(4)
    })

    it('does not take a batch of nothing for the one that it forgot', () => {
      const frames = new BatchFrames(joiner())
      frames.forget()
      expect(frames.encode([])).to.deep.equal(encodeTextFrame(''))
    })
  })
})
