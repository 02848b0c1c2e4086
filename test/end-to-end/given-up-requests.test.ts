/** Requests that are given up while middleware or their function runs: what goes on, what counts, and which lines there are. */
import { expect } from 'chai'
import { deferred, rejection, type Site, until, useSites } from './fixture.js'

const linesOf = (site: Site) =>
  site.log.flatMap(({ level, message, details }) =>
    level === 'warn' && 'middleware' in details ? [message] : [],
  )

describe('requests that are given up', () => {
  const sites = useSites()

  it('do not blame a middleware for the short time-out, or the abort, of a client', async () => {
    const site = await sites({ limits: { callTimeout: 200 } })
    const client = await site.ready()
    const [go, controller] = [deferred(), new AbortController()]
    const signals: AbortSignal[] = []
    let refused = 0
    site.sockets.use('call', async ({ signal }, next) => {
      signals.push(signal)
      await go.promise
      await next().catch(() => {
        refused += 1
      })
    })
    const calls = [
      rejection(client.rpc('echo', 1, { timeout: 20 })),
      rejection(client.rpc('echo', 1, { signal: controller.signal })),
    ]
    await until(() => signals.length === 2)
    controller.abort()
    const codes = (await Promise.all(calls)).map(({ code }) => code)
    expect(codes.sort()).to.deep.equal(['aborted', 'timeout'])
    await until(() => signals.every(({ aborted }) => aborted))
    go.resolve()
    await until(() => refused === 2)
    expect(linesOf(site)).to.deep.equal([])
  })

  it('have one line if a middleware did not go on in time, and returns then', async () => {
    const site = await sites({ limits: { vetoTimeout: 30 } })
    const peer = await site.member()
    const [go, returned] = [deferred(), deferred()]
    site.sockets.use('subscribe', async () => {
      await go.promise
      setImmediate(returned.resolve)
    })
    const { code } = await peer.ask({ rpc: '_subscribe', req: { channel: 'a' } })
    expect(code).to.equal('veto_timeout')
    go.resolve()
    await returned.promise
    expect(linesOf(site)).to.deep.equal(['a middleware did not go on in time: the request is refused'])
  })

  it('ask no listener once a client has left that signs in', async () => {
    const site = await sites()
    const [begun, go, refused] = [deferred<{ readonly isClosed: boolean }>(), deferred(), deferred<string>()]
    let asked = 0
    site.sockets.use('authentication', async ({ socket }, next) => {
      begun.resolve(socket)
      await go.promise
      await next().catch(({ code }) => refused.resolve(code))
    })
    site.sockets.on('authentication', () => {
      asked += 1
      return true
    })
    const client = site.client()
    const socket = await begun.promise
    await client.end()
    await until(() => socket.isClosed)
    go.resolve()
    expect(await refused.promise).to.equal('connection_lost')
    expect(asked).to.equal(0)
  })

  for (const around of [false, true]) {
    it(`do not count once their function has answered the abort at once, ${around ? 'with' : 'without'} middleware`, async () => {
      let begun = 0
      let ended = 0
      const site = await sites({
        limits: { abandonedCalls: 1 },
        socketController: {
          wait: (_auth, _data, callback, _socket, call) => {
            begun += 1
            call.signal.addEventListener('abort', () => {
              callback(call.signal.reason)
              ended += 1
            })
          },
          echo: (_auth, data) => data,
        },
      })
      const client = await site.ready()
      if (around) site.sockets.use('call', (_context, next) => next())
      for (let count = 1; count <= 3; count += 1) {
        const controller = new AbortController()
        const call = rejection(client.rpc('wait', 1, { signal: controller.signal }))
        await until(() => begun === count)
        controller.abort()
        expect((await call).code).to.equal('aborted')
        await until(() => ended === count)
      }
      expect(await client.rpc('echo', 7)).to.equal(7)
    })
  }
})

describe('a client without the capability `cancel`', () => {
  const sites = useSites()

  for (const [who, version] of [
    ['a legacy client', {}],
    ['a client that names none', { version: 1 }],
  ] as const) {
    it(`calls a function named _cancel, as before: ${who}`, async () => {
      const site = await sites({ socketController: { _cancel: (_auth, data) => ({ cancelled: data }) } })
      const peer = await site.peer()
      await peer.ask({ rpc: 'auth', token: await site.token(), ...version })
      expect((await peer.ask({ rpc: '_cancel', req: { order: 7 } })).resp).to.deep.equal({
        cancelled: { order: 7 },
      })
      site.sockets.socketController = {}
      expect((await peer.ask({ rpc: '_cancel', req: 1 })).code).to.equal('not_found')
    })
  }

  it('is one that has no version, whatever it says it can', async () => {
    const site = await sites()
    const peer = await site.peer()
    await peer.ask({ rpc: 'auth', token: await site.token(), can: ['cancel'] })
    const [socket] = site.sockets.sockets()
    expect((await rejection(socket?.rpc('ask', 1, { timeout: 10 }) as Promise<unknown>)).code).to.equal(
      'timeout',
    )
    await peer.ask({ rpc: 'echo', req: 1 })
    expect(JSON.stringify(peer.frames)).not.to.include('"cancel')
    expect(JSON.stringify(peer.frames)).to.include('"ask"')
  })
})
