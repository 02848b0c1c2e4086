import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { expect } from 'chai'
import sinon from 'sinon'
import { DownloadTime, OPEN } from '#server/transports/download-time.js'

describe('DownloadTime', () => {
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })

  afterEach(() => sinon.restore())

  /** A session whose response is over, as sockjs leaves it. */
  function make(recv: unknown = null) {
    const timeout_cb = sinon.spy()
    const to_tref: NodeJS.Timeout = setTimeout(timeout_cb, 5000) as unknown as NodeJS.Timeout
    const session = { readyState: OPEN, recv, to_tref, timeout_cb }
    const response = { writableLength: 0 }
    const responses = new Set([response as ServerResponse])
    return { session, response, ended: timeout_cb, time: new DownloadTime(session, responses) }
  }

  for (const [bytes, ms] of [
    [0, 5000],
    [16_384, 5000],
    [160_000, 15_000],
    [480_000, 35_000],
    [10_000_000, 35_000],
  ] as const) {
    it(`gives ${ms} ms after a response of ${bytes} bytes`, () => {
      const { time, ended } = make()
      time.begin(bytes)
      clock.tick(ms - 1)
      expect(ended.callCount).to.equal(0)
      clock.tick(1)
      expect(ended.callCount).to.equal(1)
    })
  }

  it('counts all that a response gets, and not the response before', () => {
    const { time, ended } = make()
    time.begin(400_000)
    time.begin(80_000)
    time.add(80_000)
    clock.tick(14_999)
    expect(ended.callCount).to.equal(0)
    clock.tick(1)
    expect(ended.callCount).to.equal(1)
  })

  it('begins anew when the kernel has the whole response, also for the next request on the socket', () => {
    const { time, ended } = make()
    time.begin(160_000)
    clock.tick(10_000)
    const socket = { timeout: 5000, setTimeout: sinon.spy() }
    time.handedOver(socket as unknown as Socket)
    expect(socket.setTimeout.args).to.deep.equal([[15_000]])
    clock.tick(14_999)
    expect(ended.callCount).to.equal(0)
    clock.tick(1)
    expect(ended.callCount).to.equal(1)
  })

  it('leaves a socket alone after a small response, and one that has no time-out', () => {
    const { time } = make()
    const [limited, unlimited] = [5000, 0].map((timeout) => ({ timeout, setTimeout: sinon.spy() }))
    time.begin(1000)
    time.handedOver(limited as unknown as Socket)
    time.begin(160_000)
    time.handedOver(unlimited as unknown as Socket)
    time.handedOver(null)
    expect([limited?.setTimeout.callCount, unlimited?.setTimeout.callCount]).to.deep.equal([0, 0])
  })

  it('goes on while the client takes what the server still holds, and no longer', () => {
    const { time, ended, response } = make()
    response.writableLength = 300_000
    time.begin(160_000)
    for (let round = 0; round < 3; round += 1) {
      response.writableLength -= 100
      clock.tick(15_000)
      expect(ended.callCount).to.equal(0)
    }
    clock.tick(15_000)
    expect(ended.callCount).to.equal(1)
  })

  it('touches no heartbeat of a response that is open', () => {
    const { time, ended } = make({})
    time.begin(160_000)
    clock.tick(5000)
    expect(ended.callCount).to.equal(1)
  })
})
