import { type EngineHealth, HealthMonitor } from '@token-socket/server'
import { expect } from 'chai'

describe('HealthMonitor', () => {
  let monitor: HealthMonitor
  let heard: EngineHealth[]

  beforeEach(() => {
    monitor = new HealthMonitor()
    heard = []
    monitor.onchange((health) => heard.push(health))
  })

  it('is well at first', () => {
    expect(monitor.now).to.include({ ok: true }).and.not.have.property('reason')
    expect(monitor.now.since).to.be.at.most(Date.now())
  })

  describe('#set', () => {
    it('is well only when every trouble is over, and tells of its changes', () => {
      monitor.set('one', 'the first')
      monitor.set('two', 'the second')
      expect(monitor.now).to.include({ ok: false, reason: 'the first' })
      const { since } = monitor.now
      monitor.set('one', undefined)
      expect(monitor.now).to.deep.equal({ ok: false, since, reason: 'the second' })
      monitor.set('two', undefined)
      monitor.set('two', undefined)
      expect(monitor.now.ok).to.equal(true)
      expect(heard.map(({ ok }) => ok)).to.deep.equal([false, true])
    })
  })

  describe('#onchange', () => {
    it('returns its undo', () => {
      const more: EngineHealth[] = []
      const undo = monitor.onchange((health) => more.push(health))
      monitor.set('one', 'the first')
      undo()
      monitor.set('one', undefined)
      expect(more).to.have.length(1)
      expect(heard).to.have.length(2)
    })
  })
})
