import { expect } from 'chai'
import sinon from 'sinon'
import { isOffline, onWake } from '#client/connection/wake.js'
import { restoreGlobals, setGlobal } from '../globals.js'

describe('onWake', () => {
  let clock: sinon.SinonFakeTimers
  let page: EventTarget
  let document: EventTarget & { visibilityState: string }
  let undo: () => void
  const listener = { woke: sinon.spy(), wentOffline: sinon.spy(), left: sinon.spy() }

  beforeEach(() => {
    clock = sinon.useFakeTimers()
    listener.woke.resetHistory()
    listener.wentOffline.resetHistory()
    listener.left.resetHistory()
    page = new EventTarget()
    document = Object.assign(new EventTarget(), { visibilityState: 'hidden' })
    setGlobal('document', document)
    setGlobal('addEventListener', page.addEventListener.bind(page))
    setGlobal('removeEventListener', page.removeEventListener.bind(page))
    undo = onWake(listener)
  })

  afterEach(() => {
    undo()
    restoreGlobals()
    clock.restore()
  })

  for (const event of ['online', 'pageshow']) {
    it(`tells of the page’s \`${event}\` event`, () => {
      page.dispatchEvent(new Event(event))
      expect(listener.woke.callCount).to.equal(1)
    })
  }

  it('tells when the network is gone', () => {
    page.dispatchEvent(new Event('offline'))
    expect(listener.wentOffline.callCount).to.equal(1)
  })

  it('tells when the page goes away, and when a frozen one goes on', () => {
    page.dispatchEvent(new Event('pagehide'))
    expect([listener.left.callCount, listener.woke.callCount]).to.deep.equal([1, 0])
    document.dispatchEvent(new Event('resume'))
    expect([listener.left.callCount, listener.woke.callCount]).to.deep.equal([1, 1])
  })

  it('tells when the page becomes visible, not when it is hidden', () => {
    document.dispatchEvent(new Event('visibilitychange'))
    expect(listener.woke.called).to.equal(false)
    document.visibilityState = 'visible'
    document.dispatchEvent(new Event('visibilitychange'))
    expect(listener.woke.callCount).to.equal(1)
  })

  it('tells when the clock has jumped', () => {
    clock.tick(60_000)
    expect(listener.woke.called).to.equal(false)
    clock.setSystemTime(Date.now() + 600_000)
    clock.tick(10_000)
    expect(listener.woke.callCount).to.equal(1)
  })

  it('can be undone after days, and keeps nothing of each look at the clock', () => {
    clock.tick(60 * 24 * 3_600_000)
    expect(clock.countTimers()).to.equal(1)
    undo()
    expect(clock.countTimers()).to.equal(0)
  })

  it('tells nothing after its undo', () => {
    undo()
    page.dispatchEvent(new Event('online'))
    page.dispatchEvent(new Event('offline'))
    page.dispatchEvent(new Event('pagehide'))
    clock.setSystemTime(Date.now() + 600_000)
    clock.tick(10_000)
    expect(listener.woke.called).to.equal(false)
    expect(listener.wentOffline.called).to.equal(false)
    expect(listener.left.called).to.equal(false)
    expect(clock.countTimers()).to.equal(0)
  })
})

describe('isOffline', () => {
  afterEach(restoreGlobals)

  it('is true only if the browser says so', () => {
    setGlobal('navigator', { onLine: false })
    expect(isOffline()).to.equal(true)
    setGlobal('navigator', { onLine: true })
    expect(isOffline()).to.equal(false)
    setGlobal('navigator', undefined)
    expect(isOffline()).to.equal(false)
  })
})
