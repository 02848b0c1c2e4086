import { type Controller, TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import { CONTROLLER, deferred, next, rejection, Site, type SiteOptions, until } from './fixture.js'

describe('recovery', () => {
  let site: Site
  let clients: TokenSocket[] = []

  const open = async (actions: Controller = {}) => {
    const client = new TokenSocket({ host: site.host }, actions)
    clients.push(client)
    await client.ready()
    return client
  }

  /** The server goes, and the clients know it. */
  const leave = async () => {
    await site.stop()
    await until(() => clients.every(({ state }) => state !== 'ready'))
  }

  /** The server goes, and another comes on the same port. */
  const restart = async (options: SiteOptions = {}) => {
    const { port } = site
    await leave()
    site = await Site.start({ ...options, port })
  }

  beforeEach(async () => {
    site = await Site.start()
  })

  afterEach(async () => {
    await Promise.all(clients.map((client) => client.end()))
    clients = []
    await site.stop()
  })

  it('the client comes back after a restart on the same port', async () => {
    const client = await open()
    const back = deferred()
    client.on('reconnect', (error) => error || back.resolve())
    await restart()
    await back.promise
    expect(await client.rpc('echo', 1)).to.equal(1)
  })

  it('restores subscriptions before queued calls go out', async () => {
    const client = await open()
    await Promise.all([client.subscribe('a'), client.subscribe('b')])
    const { port } = site
    await leave()
    const call = client.rpc('look')
    site = await Site.start({
      port,
      socketController: { ...CONTROLLER, look: (_auth, _data, _callback, socket) => socket.channels },
    })
    // A listener that takes its time must not be overtaken by the call.
    site.sockets.on('subscribe', async () => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      return true
    })
    expect(await call).to.have.members(['a', 'b'])
    expect(client.channels()).to.have.members(['a', 'b'])
  })

  it('a message published after the return arrives', async () => {
    const client = await open()
    await client.subscribe('a')
    await restart()
    await until(() => site.sockets.channelSockets('a').length === 1)
    const message = next(client, 'message')
    await site.sockets.publish('a', 'again')
    expect(await message).to.deep.equal(['a', 'again'])
  })

  it('calls in flight fail with connection_lost, both ways, and are not sent again', async () => {
    let asked = 0
    const hang = (_data: unknown, _callback: unknown) => {
      asked += 1
    }
    const client = await open({ hang: hang as never })
    const [socket] = site.sockets.sockets()
    const fromServer = rejection(socket?.rpc('hang') ?? Promise.resolve())
    await until(() => asked === 1)
    const calls = ['hang', 'hang'].map((name) => rejection(client.rpc(name)))
    await client.rpc('echo')
    let ran = 0
    const count = () => {
      ran += 1
    }
    await restart({ socketController: { ...CONTROLLER, hang: count } })
    for (const call of calls) expect((await call).code).to.equal('connection_lost')
    expect((await fromServer).code).to.equal('connection_lost')
    await client.rpc('echo')
    expect([ran, asked]).to.deep.equal([0, 1])
  })

  it('calls made while away run once, in order', async () => {
    const client = await open()
    const { port } = site
    await leave()
    const calls = [1, 2, 3, 4].map((data) => client.rpc('note', data))
    const noted: unknown[] = []
    const note = (_auth: unknown, data: unknown) => noted.push(data)
    site = await Site.start({ port, socketController: { ...CONTROLLER, note } })
    await Promise.all(calls)
    await client.rpc('echo')
    expect(noted).to.deep.equal([1, 2, 3, 4])
  })

  it('what was given up while away does not run', async () => {
    const client = await open()
    const { port } = site
    await leave()
    const controller = new AbortController()
    const call = client.rpc('note', 1, { signal: controller.signal })
    controller.abort()
    expect((await rejection(call)).code).to.equal('aborted')
    const noted: unknown[] = []
    const note = (_auth: unknown, data: unknown) => noted.push(data)
    site = await Site.start({ port, socketController: { ...CONTROLLER, note } })
    await client.rpc('note', 2)
    expect(noted).to.deep.equal([2])
  })

  it('wishes made while away are those that count', async () => {
    const client = await open()
    await Promise.all([client.subscribe('kept'), client.subscribe('left')])
    const { port } = site
    await leave()
    await client.unsubscribe('left')
    const added = client.subscribe('added')
    site = await Site.start({ port })
    await added
    await client.rpc('echo')
    expect(site.sockets.channels()).to.have.members(['kept', 'added'])
  })

  it('a subscription refused on return is told once, is not retried, and harms no other', async () => {
    const client = await open()
    await Promise.all([client.subscribe('a'), client.subscribe('b')])
    const errors: unknown[] = []
    client.on('error', (error) => errors.push([error.code, error.data]))
    const { port } = site
    await leave()
    site = await Site.start({ port })
    let asked = 0
    site.sockets.on('subscribe', (_socket, { channel }) => {
      if (channel === 'b') return true
      asked += 1
      return false
    })
    await client.rpc('echo')
    expect([client.channels(), site.sockets.channels()]).to.deep.equal([['b'], ['b']])
    site.sockets.sockets()[0]?.end()
    await next(client, 'reconnect')
    await client.rpc('echo')
    expect(asked).to.equal(1)
    expect(errors).to.deep.equal([['forbidden', { channel: 'a' }]])
  })

  it('end() while the server is away is final', async () => {
    const client = await open()
    const call = client.rpc('echo')
    await call
    const { port } = site
    await leave()
    const queued = rejection(client.rpc('echo'))
    await client.end()
    expect((await queued).code).to.equal('ended')
    site = await Site.start({ port })
    await site.servesHonestClients()
    expect(client.state).to.equal('ended')
    expect(site.log.filter(({ message }) => message === 'a socket is ready')).to.have.length(1)
  })
})
