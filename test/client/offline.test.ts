import { expect } from 'chai'
import { restoreGlobals, setGlobal } from './globals.js'
import { turn, until } from './waiting.js'
import { World } from './world.js'

describe('TokenSocket in a browser that goes offline', () => {
  let world: World
  let page: EventTarget

  beforeEach(async () => {
    world = await World.create()
    page = new EventTarget()
    setGlobal('addEventListener', page.addEventListener.bind(page))
    setGlobal('removeEventListener', page.removeEventListener.bind(page))
  })

  afterEach(async () => {
    await world.close()
    restoreGlobals()
  })

  it('tries slowly until it is online, then at once', async () => {
    const clock = world.stopClock()
    const socket = await world.openReady()
    setGlobal('navigator', { onLine: false })
    world.server.cut()
    await until(() => socket.state === 'waiting')
    clock.tick(29_000)
    await turn()
    expect(socket.state).to.equal('waiting')
    setGlobal('navigator', { onLine: true })
    page.dispatchEvent(new Event('online'))
    expect(socket.state).to.equal('connecting')
    await until(() => socket.state === 'ready')
  })

  for (const when of ['a loss', 'a try that failed', 'the `offline` event']) {
    it(`tries within a minute, though the browser says that there is no network, after ${when}`, async () => {
      world.reconnectAtOnce()
      const clock = world.stopClock()
      const socket = world.open()
      if (when === 'a try that failed') world.server.refusesUpgrades = true
      else await socket.ready()
      if (when !== 'the `offline` event') setGlobal('navigator', { onLine: false })
      world.server.cut()
      await until(() => socket.state === 'waiting')
      page.dispatchEvent(new Event('offline'))
      world.server.refusesUpgrades = false
      // The shortest wait is half of the longest.
      clock.tick(30_000)
      await until(() => socket.state === 'ready')
    })
  }

  it('lengthens the wait that was under way', async () => {
    const clock = world.stopClock()
    const socket = await world.openReady()
    world.server.cut()
    await until(() => socket.state === 'waiting')
    page.dispatchEvent(new Event('offline'))
    clock.tick(29_000)
    expect(socket.state).to.equal('waiting')
    page.dispatchEvent(new Event('online'))
    await until(() => socket.state === 'ready')
  })

  it('looks at an open connection when the page is shown again', async () => {
    const socket = await world.openReady()
    page.dispatchEvent(new Event('pageshow'))
    await until(() => world.server.peer.of('ping').length)
    expect(socket.state).to.equal('ready')
  })
})
