import { expect } from 'chai'
import { restoreGlobals, setGlobal } from './globals.js'
import { turn, until } from './waiting.js'
import { World } from './world.js'

describe('TokenSocket in a page that goes away', () => {
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

  it('closes its connection with its reason, and waits', async () => {
    const clock = world.stopClock()
    const socket = await world.openReady()
    page.dispatchEvent(new Event('pagehide'))
    expect(socket.state).to.equal('waiting')
    await until(() => world.server.peer.closed)
    expect(world.server.peer.closed?.code).to.equal(4005)
    clock.tick(60_000)
    await turn()
    expect(socket.state).to.equal('waiting')
  })

  it('is back at once, subscribed as before, when the page is', async () => {
    const socket = await world.openReady()
    await socket.subscribe('news')
    page.dispatchEvent(new Event('pagehide'))
    const call = socket.rpc('echo', 'made while away')
    page.dispatchEvent(new Event('pageshow'))
    expect(socket.state).to.equal('connecting')
    expect(await call).to.equal('made while away')
    expect(world.server.peers).to.have.length(2)
    expect(world.server.peer.of('subscribe').map(({ channel }) => channel)).to.deep.equal(['news'])
  })

  it('gives up a try that is under way, whose connection is never used', async () => {
    world.server.onmessage = (message) => message.type === 'auth'
    const socket = world.open()
    await until(() => world.server.peers.length)
    await until(() => world.server.peer.of('auth').length)
    page.dispatchEvent(new Event('pagehide'))
    expect(socket.state).to.equal('waiting')
    await until(() => world.server.peer.closed)
    world.server.onmessage = () => {}
    page.dispatchEvent(new Event('pageshow'))
    await socket.ready()
    expect(world.server.peers).to.have.length(2)
  })

  it('stops the wait for the next try', async () => {
    const clock = world.stopClock()
    const socket = await world.openReady()
    world.server.cut()
    await until(() => socket.state === 'waiting')
    page.dispatchEvent(new Event('pagehide'))
    clock.tick(60_000)
    expect(socket.state).to.equal('waiting')
    page.dispatchEvent(new Event('pageshow'))
    await until(() => socket.state === 'ready')
  })

  it('stays away for good if it is not to reconnect', async () => {
    const socket = await world.openReady({ reconnect: false })
    page.dispatchEvent(new Event('pagehide'))
    expect(socket.state).to.equal('failed')
    page.dispatchEvent(new Event('pageshow'))
    expect(socket.state).to.equal('failed')
  })

  it('does nothing once it has ended', async () => {
    const socket = await world.openReady()
    await socket.end()
    page.dispatchEvent(new Event('pagehide'))
    page.dispatchEvent(new Event('pageshow'))
    expect(socket.state).to.equal('ended')
  })
})
