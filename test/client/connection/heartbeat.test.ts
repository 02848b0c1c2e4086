import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { Heartbeat } from '#client/connection/heartbeat.js'
import { turn } from '../waiting.js'

describe('Heartbeat', () => {
  let clock: sinon.SinonFakeTimers
  const pings: { resolve(): void; reject(error: RpcError): void }[] = []
  let quiet = 0
  const answered = sinon.spy()
  const failed = sinon.spy()
  const died = sinon.spy()

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    pings.length = 0
    for (const spy of [answered, failed, died]) spy.resetHistory()
  })

  afterEach(() => sinon.restore())

  function create(interval: number): Heartbeat {
    const ping = () => new Promise<void>((resolve, reject) => pings.push({ resolve, reject }))
    const owner = {
      ping,
      get idleTime() {
        return quiet
      },
      answered,
      failed,
      died,
    }
    return new Heartbeat(interval, owner)
  }

  it('pings at its interval after each answer', async () => {
    create(100).start()
    clock.tick(100)
    clock.tick(5)
    pings[0]?.resolve()
    await turn()
    expect(answered.args).to.deep.equal([[5]])
    clock.tick(99)
    expect(pings).to.have.length(1)
    clock.tick(1)
    expect(pings).to.have.length(2)
  })

  it('tells of an error, and goes on', async () => {
    create(100).start()
    clock.tick(100)
    const error = new RpcError('not_found')
    pings[0]?.reject(error)
    await turn()
    expect(failed.args).to.deep.equal([[error]])
    clock.tick(100)
    expect(pings).to.have.length(2)
  })

  it('tells of death when a ping times out', async () => {
    create(100).start()
    clock.tick(100)
    pings[0]?.reject(new RpcError('timeout'))
    await turn()
    expect(died.callCount).to.equal(1)
  })

  it('hears nothing of pings from before #stop', async () => {
    const heartbeat = create(100)
    heartbeat.start()
    clock.tick(100)
    heartbeat.stop()
    heartbeat.start()
    pings[0]?.reject(new RpcError('timeout'))
    await turn()
    expect(died.called).to.equal(false)
  })

  it('never pings by itself without an interval', () => {
    create(0).start()
    clock.tick(1_000_000)
    expect(pings).to.deep.equal([])
  })

  describe('#check', () => {
    it('pings now, one at a time', () => {
      const heartbeat = create(0)
      heartbeat.start()
      heartbeat.check()
      heartbeat.check()
      expect(pings).to.have.length(1)
    })

    it('keeps an error to itself when nobody asked for pings', async () => {
      const heartbeat = create(0)
      heartbeat.start()
      heartbeat.check()
      pings[0]?.reject(new RpcError('not_found'))
      await turn()
      expect(failed.called).to.equal(false)
    })

    it('does nothing while there is no link', () => {
      create(0).check()
      expect(pings).to.deep.equal([])
    })
  })

  describe('with a server that promises signs of life', () => {
    it('pings when it was quiet for longer', () => {
      quiet = 1000
      create(0).start(1000)
      clock.tick(999)
      expect(pings).to.have.length(0)
      clock.tick(1)
      expect(pings).to.have.length(1)
    })

    it('leaves a server alone that is heard of', () => {
      quiet = 400
      create(0).start(1000)
      clock.tick(10_000)
      expect(pings).to.have.length(0)
    })

    it('looks again when the silence could be too long', () => {
      quiet = 400
      create(0).start(1000)
      clock.tick(1000)
      quiet = 1000
      clock.tick(599)
      expect(pings).to.have.length(0)
      clock.tick(1)
      expect(pings).to.have.length(1)
    })

    it('tells of death when that ping times out', async () => {
      quiet = 1000
      create(0).start(1000)
      clock.tick(1000)
      pings[0]?.reject(new RpcError('timeout'))
      await turn()
      expect(died.callCount).to.equal(1)
    })

    it('stops looking at #stop', () => {
      quiet = 1000
      const heartbeat = create(0)
      heartbeat.start(1000)
      heartbeat.stop()
      expect(clock.countTimers()).to.equal(0)
    })
  })
})
