import { expect } from 'chai'
import sinon from 'sinon'
import { HeartbeatMonitor, type Peer } from '#server/transports/heartbeat-monitor.js'

const MB = 1024 * 1024

/** A peer that writes down when it was asked, and when it was given up. */
class FakePeer implements Peer {
  bytesRead = 0
  bytesWritten = 0
  readonly pings: number[] = []
  readonly cuts: number[] = []

  ping(): void {
    this.pings.push(performance.now())
  }

  terminate(): void {
    this.cuts.push(performance.now())
  }
}

describe('Liveness', () => {
  let clock: sinon.SinonFakeTimers
  let liveness: HeartbeatMonitor
  let peer: FakePeer

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    liveness = new HeartbeatMonitor({ pingInterval: 25_000, pingTimeout: 10_000 })
    peer = new FakePeer()
    liveness.add(peer)
  })

  afterEach(() => {
    liveness.stop()
    sinon.restore()
  })

  /** Time passes, and the peer says something every so many milliseconds. */
  function speakEvery(wait: number, duration: number): void {
    for (let passed = 0; passed < duration; passed += wait) {
      clock.tick(wait)
      peer.bytesRead += 1
    }
  }

  it('asks a silent peer within the interval, and once', () => {
    clock.tick(25_000)
    expect(peer.pings).to.have.length(1)
    expect(peer.pings[0]).to.be.within(15_000, 25_000)
  })

  it('gives a peer up that stays silent, within interval and time-out together', () => {
    clock.tick(35_000)
    expect(peer.cuts).to.have.length(1)
    expect((peer.cuts[0] ?? 0) - (peer.pings[0] ?? 0)).to.be.at.least(10_000)
  })

  for (const offset of [1, 500, 999, 1000, 1001, 1999, 2000, 2001]) {
    it(`is in time for a peer whose last byte came ${offset} ms after a look`, () => {
      clock.tick(4000 + offset)
      peer.bytesRead += 1
      const died = performance.now()
      clock.tick(60_000)
      expect((peer.cuts[0] ?? 0) - died).to.be.within(25_000, 35_000)
    })
  }

  it('leaves a peer alone that answers late, but in time', () => {
    for (let round = 0; round < 5; round += 1) {
      while (peer.pings.length === round) clock.tick(100)
      clock.tick(9_900)
      peer.bytesRead += 2
    }
    expect(peer.cuts).to.deep.equal([])
  })

  it('asks nobody who speaks', () => {
    speakEvery(15_000, 150_000)
    expect(peer.pings).to.deep.equal([])
  })

  it('gives more time to a peer that a large message is on its way to', () => {
    peer.bytesWritten = 5 * MB
    clock.tick(35_000)
    expect(peer.cuts).to.deep.equal([])
    clock.tick(100_000)
    expect(peer.cuts).to.not.deep.equal([])
  })

  it('gives more time also if the large message came after the question', () => {
    clock.tick(25_000)
    expect(peer.pings).to.have.length(1)
    peer.bytesWritten = 5 * MB
    clock.tick(60_000)
    expect(peer.cuts).to.deep.equal([])
  })

  it('gives no more time for what the peer was heard after', () => {
    peer.bytesWritten = 50 * MB
    clock.tick(10_000)
    speakEvery(4000, 8000)
    const died = performance.now()
    clock.tick(60_000)
    expect((peer.cuts[0] ?? 0) - died).to.be.within(25_000, 35_000)
  })

  it('gives no more time for an ordinary backlog', () => {
    peer.bytesWritten = 256 * 1024
    clock.tick(35_000)
    expect(peer.cuts).to.have.length(1)
  })

  it('gives no more than minutes, however much was sent', () => {
    peer.bytesWritten = 5000 * MB
    clock.tick(300_000)
    expect(peer.cuts).to.have.length(1)
  })

  describe('when the process has stood still', () => {
    beforeEach(() => {
      clock.tick(25_000 - 1)
      expect(peer.pings).to.have.length(1)
    })

    it('does not count that time against a peer, whose answer may have come meanwhile', () => {
      clock.jump(60_000)
      expect(peer.cuts).to.deep.equal([])
      peer.bytesRead += 1
      clock.tick(10_000)
      expect(peer.cuts).to.deep.equal([])
    })

    it('gives a peer up that stays silent, within the time-out', () => {
      clock.jump(60_000)
      clock.tick(10_000)
      expect(peer.cuts).to.have.length(1)
    })
  })

  it('uses one timer, however many there are', () => {
    for (let more = 0; more < 100; more += 1) liveness.add(new FakePeer())
    expect(clock.countTimers()).to.equal(1)
  })

  describe('#delete', () => {
    it('forgets a peer', () => {
      liveness.delete(peer)
      clock.tick(100_000)
      expect(peer.pings).to.deep.equal([])
    })
  })

  describe('#stop', () => {
    it('leaves no timer', () => {
      liveness.stop()
      expect(clock.countTimers()).to.equal(0)
    })
  })
})
