import { expect } from 'chai'
import sinon from 'sinon'
import { errorOf, until } from './waiting.js'
import { World } from './world.js'

/** No failure, and no wait. */
const NONE = { error: undefined, delay: undefined, retryAt: undefined }

describe('TokenSocket#status', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
  })

  afterEach(() => world.close())

  it('says that the first try is under way, and then that the socket is ready', async () => {
    const socket = world.open()
    expect(socket.status).to.deep.equal({ ...NONE, state: 'connecting', attempt: 1 })
    await socket.ready()
    expect(socket.status).to.deep.equal({ ...NONE, state: 'ready', attempt: 0 })
  })

  it('is another object each time, which does not change', async () => {
    const socket = world.open()
    const { status } = socket
    expect(socket.status).not.to.equal(status)
    await socket.ready()
    expect(status.state).to.equal('connecting')
  })

  it('counts the tries in a row, with the last failure and the time until the next', async () => {
    const clock = world.stopClock()
    // Half of a wait of less than 2 ms is none.
    sinon.stub(Math, 'random').returns(0.5)
    world.server.refusesUpgrades = true
    const socket = world.open()
    for (const attempt of [1, 2, 3]) {
      await until(() => socket.state === 'waiting')
      const { error, delay, retryAt, ...rest } = socket.status
      expect(rest).to.deep.equal({ state: 'waiting', attempt })
      expect(error).to.have.property('code', 'transport_failed')
      expect(retryAt).to.equal(Date.now() + (delay ?? 0))
      clock.tick(Math.floor((delay ?? 0) / 2))
      expect(socket.status).to.include({ retryAt, delay: (retryAt ?? 0) - Date.now() })
      clock.tick(delay ?? 0)
      expect(socket.status).to.include({ state: 'connecting', attempt: attempt + 1, error })
      expect(socket.status).to.include({ delay: undefined, retryAt: undefined })
    }
    world.server.refusesUpgrades = false
    await socket.ready()
    expect(socket.status).to.deep.equal({ ...NONE, state: 'ready', attempt: 0 })
  })

  it('begins the count again after a loss', async () => {
    world.reconnectAtOnce()
    const socket = await world.openReady()
    const seen: unknown[] = []
    socket.on('state', (state, { attempt }) => seen.push(`${state} ${attempt}`))
    world.server.cut()
    await until(() => seen.length === 3)
    expect(seen).to.deep.equal(['waiting 0', 'connecting 1', 'ready 0'])
  })

  it('agrees with the details of the `state` event', async () => {
    world.stopClock()
    world.server.refusesUpgrades = true
    const socket = world.open()
    const differences: unknown[] = []
    const states: string[] = []
    socket.on('state', (state, details) => {
      states.push(state)
      for (const [name, value] of Object.entries(details)) {
        const own = socket.status[name as keyof typeof socket.status]
        if (own !== value && name !== 'error') differences.push([state, name, value, own])
      }
      if (state === 'waiting' && !details.retryAt) differences.push('no retryAt')
    })
    await until(() => socket.state === 'waiting')
    socket.suspend()
    socket.resume()
    await until(() => socket.state === 'waiting')
    await socket.end()
    expect(states).to.deep.equal(['waiting', 'suspended', 'connecting', 'waiting', 'ended'])
    expect(differences).to.deep.equal([])
  })

  it('has the final error when the socket has failed, and none when it was ended', async () => {
    world.server.ontoken = (_, response) => response.writeHead(403).end()
    const socket = world.open()
    const error = await errorOf(socket.ready())
    expect(socket.status).to.deep.equal({ ...NONE, state: 'failed', attempt: 1, error })
    await socket.end()
    expect(socket.status).to.deep.equal({ ...NONE, state: 'ended', attempt: 1 })
  })

  it('has no time for the next try of a lazy socket', () => {
    expect(world.open({ lazy: true }).status).to.deep.equal({ ...NONE, state: 'suspended', attempt: 0 })
  })
})

describe('TokenSocket#ready with a `timeout`', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create()
  })

  afterEach(() => world.close())

  it('resolves when the socket is ready in time', async () => {
    await world.open().ready({ timeout: 10_000 })
  })

  it('rejects with the last failure, and the socket goes on trying', async () => {
    const clock = world.stopClock()
    world.server.refusesUpgrades = true
    // The next try comes after the longest delay.
    sinon.stub(Math, 'random').returns(0.999)
    const socket = world.open()
    const outcome = errorOf(socket.ready({ timeout: 50 }))
    await until(() => socket.state === 'waiting')
    clock.tick(50)
    const error = await outcome
    expect(error).to.have.property('code', 'timeout')
    expect(error.message).to.match(/^Not ready after 50 ms: websocket failed: ws:.*403$/)
    expect(error).to.have.property('cause', socket.status.error)
    expect(error.data).to.include({ limit: 50, state: 'waiting', attempt: 1 })
    world.server.refusesUpgrades = false
    clock.tick(50)
    await socket.ready()
  })

  it('says what the socket does where nothing has failed yet', async () => {
    const clock = world.stopClock()
    world.server.ontoken = () => {}
    const socket = world.open()
    const outcome = errorOf(socket.ready({ timeout: 50 }))
    await until(() => world.server.tokenRequests.length)
    clock.tick(50)
    const error = await outcome
    expect(error.message).to.equal('Not ready after 50 ms: connecting')
    expect(error.data).to.include({ limit: 50, state: 'connecting', attempt: 1 })
  })

  it('rejects earlier with the error that is final', async () => {
    world.server.ontoken = (_, response) => response.writeHead(403).end()
    expect(await errorOf(world.open().ready({ timeout: 10_000 }))).to.have.property('code', 'token_refused')
  })

  it('waits without a limit for 0, Infinity and none', async () => {
    const none = [0, Number.POSITIVE_INFINITY, undefined]
    for (const timeout of none) await world.open().ready({ timeout })
  })
})
