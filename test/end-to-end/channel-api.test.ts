import type { Channel, TokenSocket } from '@token-socket/client'
import type { TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { onOneNodeOnly } from '../only-in.js'
import { next, rejection, type Site, until, useSites } from './fixture.js'

const KEY = 'the key of the application, 32 bytes or more'

const OPEN: TokenSocketServerOptions['channels'] = {
  '*': { subscribe: true, publish: true },
  'kept-*': { history: { ttl: 60_000, size: 10 } },
  'room-*': { presence: true },
}

describe('a channel of the client', () => {
  const startSite = useSites()
  const start = (options: Partial<TokenSocketServerOptions> = {}) =>
    startSite({
      channels: OPEN,
      keys: { app: { algorithm: 'HS256', key: KEY } },
      authentication: () => false,
      ...options,
    })

  const sign = (claims: object) => jwt.sign(claims, KEY, { expiresIn: 30 })
  const connectToken = (uid: string, more: object = {}) =>
    sign({ scope: 'connect', uid, umd: { name: uid.toUpperCase() }, ...more })

  const open = (site: Site, uid: string, options: object = {}): TokenSocket =>
    site.client({ token: () => connectToken(uid), ...options })

  /** The names of a channel's events from now on, with what came. */
  function eventsOf(channel: Channel): unknown[][] {
    const seen: unknown[][] = []
    for (const name of [
      'subscribed',
      'unsubscribed',
      'joined',
      'left',
      'updated',
      'recovered',
      'gap',
      'refused',
    ] as const) {
      channel.on(name, (...args: unknown[]) => seen.push([name, ...args]))
    }
    return seen
  }

  /** Cuts the server's side of every connection. */
  const cut = (site: Site) => {
    for (const socket of site.sockets.sockets()) socket.end()
  }

  describe('#bind', () => {
    it('subscribes with the first, and hears each event by its name or an expression', async () => {
      const site = await start()
      const socket = open(site, 'jim')
      const channel = socket.channel('c')
      expect(socket.channel('c')).to.equal(channel)
      const heard: unknown[] = []
      channel.bind('chat', ({ event, data }) => heard.push(['chat', event, data]))
      channel.bind(/^c/g, ({ event }) => heard.push(['/^c/', event]))
      channel.bind('', ({ data }) => heard.push(['', data]))
      await next(channel, 'subscribed')
      await channel.send('chat', 1)
      await channel.send('cheer')
      await channel.send('other')
      await socket.publish('c', 'plain')
      await until(() => heard.length === 4)
      expect(heard).to.deep.equal([
        ['chat', 'chat', 1],
        ['/^c/', 'chat'],
        ['/^c/', 'cheer'],
        ['', 'plain'],
      ])
      expect(site.sockets.channelSockets('c')).to.have.length(1)
    })

    it('gives the whole message', async () => {
      const site = await start()
      const channel = open(site, 'jim').channel('kept-1')
      const came = new Promise<Record<string, unknown>>((resolve) => channel.bind('chat', resolve as never))
      await next(channel, 'subscribed')
      const receipt = await channel.send('chat', { text: 'hi' })
      const { time, ...message } = await came
      expect(message).to.deep.equal({
        ...receipt,
        channel: 'kept-1',
        event: 'chat',
        data: { text: 'hi' },
        meta: { uid: 'jim', umd: { name: 'JIM' } },
      })
      expect(time).to.be.a('number')
    })

    it('ends with the last `unbind`, whatever order they come in', async () => {
      const site = await start()
      const channel = open(site, 'jim').channel('c')
      const first = channel.bind('a', () => {})
      const second = channel.bind('b', () => {})
      await next(channel, 'subscribed')
      first.unbind()
      first.unbind()
      expect(site.sockets.channelSockets('c')).to.have.length(1)
      second.unbind()
      await next(channel, 'unsubscribed')
      await until(() => site.sockets.channelSockets('c').length === 0)
    })

    it('has an `unsubscribed` that says whose wish it was', async () => {
      const site = await start()
      const socket = open(site, 'jim')
      const channel = socket.channel('c')
      const reasons: string[] = []
      channel.on('unsubscribed', ({ reason }) => reasons.push(reason))
      await socket.subscribe('c')
      await socket.unsubscribe('c')
      await socket.subscribe('c')
      site.sockets.sockets()[0]?.unsubscribe('c')
      await until(() => reasons.length === 2)
      const binding = channel.bind('a', () => {})
      await next(channel, 'subscribed')
      binding.unbind()
      await until(() => reasons.length === 3)
      expect(reasons).to.deep.equal(['client', 'server', 'client'])
    })

    it('and `subscribe` of the socket each keep the channel for themselves', async () => {
      const site = await start()
      const socket = open(site, 'jim')
      const messages: unknown[] = []
      socket.on('message', (_channel, data) => messages.push(data))
      await socket.subscribe('c')
      const binding = socket.channel('c').bind('e', () => {})
      await socket.unsubscribe('c')
      expect(socket.channels()).to.deep.equal(['c'])
      await socket.subscribe('c')
      binding.unbind()
      await socket.publish('c', 'still')
      await until(() => messages.length === 1)
      await socket.unsubscribe('c')
      expect(socket.channels()).to.deep.equal([])
    })

    it('lets a handler unbind, bind and subscribe, and harms nobody when one throws', async () => {
      const site = await start()
      const socket = open(site, 'jim')
      const channel = socket.channel('kept-1')
      const heard: string[] = []
      const uncaught: unknown[] = []
      const listeners = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      process.on('uncaughtException', (error) => uncaught.push(error.message))
      try {
        const once = channel.bind('e', () => {
          heard.push('once')
          once.unbind()
          never.unbind()
          void socket.subscribe('kept-1')
          throw new Error('of a handler')
        })
        const never = channel.bind('e', () => heard.push('never'))
        channel.bind('e', () => heard.push('always'))
        await next(channel, 'subscribed')
        await channel.send('e')
        await channel.send('e')
        await until(() => heard.length === 3 && uncaught.length === 1)
        expect(heard).to.deep.equal(['once', 'always', 'always'])
        expect(uncaught).to.deep.equal(['of a handler'])
      } finally {
        process.removeAllListeners('uncaughtException')
        for (const listener of listeners) process.on('uncaughtException', listener)
      }
    })

    it('of the socket hears every channel, and subscribes to none', async () => {
      const site = await start()
      const socket = open(site, 'jim')
      const heard: unknown[] = []
      socket.bind(/./, ({ channel, event }) => heard.push([channel, event]))
      await socket.subscribe('a')
      await socket.publish('a', 1, { event: 'x' })
      await socket.publish('b', 1, { event: 'x' })
      const one = socket.bind('y', ({ channel }) => heard.push([channel, 'one']), { channel: 'b' })
      expect(one.channel).to.equal(socket.channel('b'))
      await next(socket.channel('b'), 'subscribed')
      await socket.publish('b', 1, { event: 'y' })
      await until(() => heard.length === 3)
      expect(heard).to.deep.equal([
        ['a', 'x'],
        ['b', 'one'],
        ['b', 'y'],
      ])
      socket.unbind('y', { channel: 'b' })
      socket.unbind(/./)
      await until(() => socket.channels().length === 1)
      await socket.publish('a', 1, { event: 'x' })
      await socket.rpc('echo', 1)
      expect(heard).to.have.length(3)
    })
  })

  it('is told `refused` once, and asked for again only by another `bind`', async () => {
    const site = await start({ channels: { c: { subscribe: false } } })
    const socket = open(site, 'jim')
    const errors: unknown[] = []
    socket.on('error', (error) => errors.push(error))
    const channel = socket.channel('c')
    const seen = eventsOf(channel)
    channel.bind('e', () => {})
    await until(() => seen.length === 1)
    expect(seen[0]?.[0]).to.equal('refused')
    expect(seen[0]?.[1]).to.have.property('code', 'forbidden')
    const back = next(socket, 'reconnect')
    cut(site)
    await back
    await socket.rpc('echo', 1)
    expect(seen).to.have.length(1)
    channel.bind('e', () => {})
    await until(() => seen.length === 2)
    expect(errors).to.deep.equal([])
  })

  describe('with presence', () => {
    it('knows who is there, and tells of who comes, changes and goes', async () => {
      const site = await start()
      const jim = open(site, 'jim').channel('room-1')
      const seen = eventsOf(jim)
      jim.bind('e', () => {})
      await next(jim, 'subscribed')
      expect(jim.members).to.deep.equal([{ uid: 'jim', umd: { name: 'JIM' } }])
      expect([jim.uid, jim.umd]).to.deep.equal(['jim', { name: 'JIM' }])
      const pam = open(site, 'pam')
      await pam.subscribe('room-1')
      await until(() => jim.members.length === 2)
      const other = open(site, 'pam', { token: () => connectToken('pam', { umd: { name: 'Pamela' } }) })
      await other.subscribe('room-1')
      await until(() => seen.length === 3)
      await pam.end()
      await other.end()
      await until(() => seen.length === 4)
      expect(seen).to.deep.equal([
        ['subscribed'],
        ['joined', { uid: 'pam', umd: { name: 'PAM' } }],
        ['updated', { uid: 'pam', umd: { name: 'Pamela' } }],
        ['left', { uid: 'pam', umd: { name: 'Pamela' } }],
      ])
      expect(jim.members).to.deep.equal([{ uid: 'jim', umd: { name: 'JIM' } }])
    })

    it('knows who is there also when it is asked for after `subscribe`, and when the server subscribed', async () => {
      const site = await start()
      const [jim, pam] = [open(site, 'jim'), open(site, 'pam')]
      await jim.subscribe('room-1')
      await pam.ready()
      await site.sockets.subscribe(site.sockets.sockets().find(({ uid }) => uid === 'pam') as never, 'room-1')
      const both = ['jim', 'pam']
      for (const socket of [jim, pam]) {
        await until(() => socket.channel('room-1').members.length === 2)
        expect(socket.channel('room-1').members.map(({ uid }) => uid)).to.have.members(both)
      }
    })

    it('is another object after `release`, and unsubscribed', async () => {
      const site = await start()
      const socket = open(site, 'jim')
      const channel = socket.channel('room-1')
      channel.bind('e', () => {})
      await next(channel, 'subscribed')
      channel.release()
      expect(() => channel.bind('e', () => {})).to.throw('released')
      await until(() => site.sockets.channelSockets('room-1').length === 0)
      expect(socket.channels()).to.deep.equal([])
      const again = socket.channel('room-1')
      expect(again).not.to.equal(channel)
      again.bind('e', () => {})
      await next(again, 'subscribed')
    })

    onOneNodeOnly('a proxy’s end of a poll is noticed after 5 s').it(
      'tells after a loss how it differs from before',
      async () => {
        const site = await start()
        const socket = open(site, 'jim')
        const jim = socket.channel('room-1')
        jim.bind('e', () => {})
        const pam = open(site, 'pam')
        await pam.subscribe('room-1')
        await until(() => jim.members.length === 2)
        const seen = eventsOf(jim)
        socket.suspend()
        await pam.end()
        const dwight = open(site, 'dwight')
        await dwight.subscribe('room-1')
        socket.resume()
        await until(() => seen.length === 3)
        expect(seen).to.have.deep.members([
          ['subscribed'],
          ['left', { uid: 'pam', umd: { name: 'PAM' } }],
          ['joined', { uid: 'dwight', umd: { name: 'DWIGHT' } }],
        ])
      },
    )

    it('is refused to who has no uid', async () => {
      const site = await start()
      const socket = site.client({ token: () => sign({ scope: 'connect' }) })
      expect(await rejection(socket.subscribe('room-1'))).to.have.property('code', 'uid_required')
    })
  })

  describe('with a token of its own', () => {
    const CLOSED = { '*': {} }

    it('asks for it at each subscription, for this connection', async () => {
      const site = await start({ channels: CLOSED })
      const socket = open(site, 'jim')
      const asked: { channel: string; connectionId: string }[] = []
      const channel = socket.channel('c', {
        token: async (request) => {
          asked.push(request)
          // It may use the socket itself.
          await socket.rpc('echo', 1)
          return sign({
            scope: 'subscribe',
            connectionId: request.connectionId,
            channels: { [request.channel]: { subscribe: true } },
            uid: 'guest',
            umd: { name: 'A guest' },
          })
        },
      })
      channel.bind('e', () => {})
      await next(channel, 'subscribed')
      const { sid } = socket
      expect(asked).to.deep.equal([{ channel: 'c', connectionId: sid }])
      expect([channel.uid, channel.umd]).to.deep.equal(['guest', { name: 'A guest' }])
      expect([socket.uid, socket.channel('d').uid]).to.deep.equal(['jim', 'jim'])
      const again = next(channel, 'subscribed')
      cut(site)
      await again
      expect(asked).to.have.length(2)
      expect(asked[1]).to.deep.equal({ channel: 'c', connectionId: socket.sid })
      expect(socket.sid).not.to.equal(sid)
    })

    for (const [what, token] of [
      ['that fails', () => Promise.reject(new Error('no backend'))],
      ['that gives nothing', () => undefined as never],
      ['for another connection', () => sign({ scope: 'subscribe', connectionId: 'another' })],
    ] as const) {
      it(`is refused with one ${what}`, async () => {
        const site = await start({ channels: CLOSED })
        const channel = open(site, 'jim').channel('c', { token })
        channel.bind('e', () => {})
        const [error] = await next(channel, 'refused')
        expect(error).to.have.property('code').that.is.oneOf(['token_failed', 'invalid_token'])
      })
    }
  })

  describe('after a loss', () => {
    it('gets what it missed, and says so', async () => {
      const site = await start()
      const socket = open(site, 'jim')
      const channel = socket.channel('kept-1')
      const heard: unknown[] = []
      channel.bind(/.*/, ({ data }) => heard.push(data))
      await next(channel, 'subscribed')
      const seen = eventsOf(channel)
      for (let round = 1; round <= 3; round += 1) {
        socket.suspend()
        await site.sockets.publish('kept-1', round)
        socket.resume()
        await until(() => heard.length === round)
      }
      expect(heard).to.deep.equal([1, 2, 3])
      expect(seen.filter(([name]) => name === 'recovered')).to.have.length(3)
    })

    for (const how of ['unbind', 'end'] as const) {
      it(`hears nothing more of what it missed after \`${how}\``, async () => {
        const site = await start()
        const socket = open(site, 'jim')
        const channel = socket.channel('kept-1')
        const heard: unknown[] = []
        const binding = channel.bind(/.*/, ({ data }) => {
          heard.push(data)
          if (how === 'unbind') binding.unbind()
          else void socket.end()
        })
        await next(channel, 'subscribed')
        socket.suspend()
        for (let n = 1; n <= 5; n += 1) await site.sockets.publish('kept-1', n)
        socket.resume()
        await until(() => heard.length > 0)
        await until(() => site.sockets.channelSockets('kept-1').length === 0)
        expect(heard).to.deep.equal([1])
      })
    }

    it('gets each publication once that comes while it subscribes in the middle of a burst', async () => {
      const site = await start()
      const sockets = Array.from({ length: 5 }, () => open(site, 'jim'))
      await Promise.all(sockets.map((socket) => socket.ready()))
      const heard = sockets.map(() => [] as number[])
      let published = 0
      let isOver = false
      const burst = (async () => {
        while (published < 500 || !isOver) {
          await site.sockets.publish('kept-1', ++published)
          if (published % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
      })()
      for (const [index, socket] of sockets.entries()) {
        socket.on('message', (_channel, n) => heard[index]?.push(n as number))
        await socket.subscribe('kept-1')
      }
      isOver = true
      await burst
      await site.sockets.publish('kept-1', ++published)
      await until(() => heard.every((numbers) => numbers.at(-1) === published))
      for (const numbers of heard) {
        expect(numbers).to.deep.equal(numbers.map((_, index) => published - numbers.length + 1 + index))
      }
    })

    it('is told what it can’t get', async () => {
      const site = await start()
      const socket = open(site, 'jim')
      const channel = socket.channel('kept-1')
      const heard: unknown[] = []
      channel.bind(/.*/, ({ data }) => heard.push(data))
      await channel.subscribe()
      await channel.send('e', 0)
      await until(() => heard.length === 1)
      socket.suspend()
      for (let n = 1; n <= 12; n += 1) await site.sockets.publish('kept-1', n)
      const gap = next(channel, 'gap')
      socket.resume()
      expect(await gap).to.deep.equal(['trimmed'])
      await channel.send('e', 'on')
      await until(() => heard.length === 2)
      expect(heard).to.deep.equal([0, 'on'])
    })

    it('loses and doubles nothing where the server subscribes it by itself, too', async () => {
      const site = await start()
      const channels = { 'kept-1': { autoSubscribe: true } }
      const socket = site.client({ token: () => connectToken('jim', { channels }) })
      const channel = socket.channel('kept-1')
      const heard: unknown[] = []
      channel.bind(/.*/, ({ data }) => heard.push(data))
      await next(channel, 'subscribed')
      for (let round = 0; round < 5; round += 1) {
        socket.suspend()
        await site.sockets.publish('kept-1', `missed ${round}`)
        socket.resume()
        await site.sockets.publish('kept-1', `meanwhile ${round}`)
        await until(() => heard.length === round * 3 + 2)
        await site.sockets.publish('kept-1', `after ${round}`)
      }
      await until(() => heard.length >= 15)
      const expected = [0, 1, 2, 3, 4].flatMap((n) => [`missed ${n}`, `meanwhile ${n}`, `after ${n}`])
      expect(heard).to.deep.equal(expected)
    })
  })

  describe('and the socket around it', () => {
    it('#suspend while the token is loading opens nothing later; #resume connects', async () => {
      const site = await start()
      let give = (_token: string) => {}
      const socket = site.client({ token: () => new Promise<string>((resolve) => (give = resolve)) })
      await until(() => socket.state === 'connecting')
      await new Promise((resolve) => setImmediate(resolve))
      socket.suspend()
      give(connectToken('jim'))
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect([socket.state, site.sockets.sockets()]).to.deep.equal(['suspended', []])
      socket.resume()
      await new Promise((resolve) => setImmediate(resolve))
      give(connectToken('jim'))
      await socket.ready()
      expect(socket.state).to.equal('ready')
    })

    it('#suspend fails what was sent, and lets the rest wait', async () => {
      const site = await start()
      const socket = open(site, 'jim')
      await socket.ready()
      const sent = socket.rpc('hang')
      const gone = next(socket, 'disconnect')
      socket.suspend()
      socket.suspend()
      expect(await rejection(sent)).to.have.property('code', 'connection_lost')
      expect((await gone)[0]).to.have.property('code', 'connection_lost')
      const waits = socket.rpc('echo', 1)
      const connected = next(socket, 'connect')
      socket.resume()
      socket.resume()
      await connected
      expect(await waits).to.equal(1)
      await until(() => site.sockets.sockets().length === 1)
    })

    it('with `lazy` connects when something needs it', async () => {
      const site = await start()
      for (const need of [
        (socket: TokenSocket) => socket.rpc('echo', 1),
        (socket: TokenSocket) => socket.publish('c', 1),
        (socket: TokenSocket) => socket.subscribe('c'),
        (socket: TokenSocket) => socket.ready(),
        async (socket: TokenSocket) => {
          socket.channel('c').bind('e', () => {})
          await next(socket.channel('c'), 'subscribed')
        },
      ]) {
        let tokens = 0
        const socket = open(site, 'jim', {
          lazy: true,
          token: () => {
            tokens += 1
            return connectToken('jim')
          },
        })
        socket.channel('c')
        await new Promise((resolve) => setImmediate(resolve))
        expect([socket.state, tokens]).to.deep.equal(['suspended', 0])
        await need(socket)
        expect([socket.state, tokens]).to.deep.equal(['ready', 1])
      }
    })

    it('gives up after `tokenAttempts` tokens before the first `ready`, and never after it', async () => {
      const site = await start()
      let tokens = 0
      const bad = site.client({
        tokenAttempts: 3,
        token: () => {
          tokens += 1
          if (tokens === 2) throw new Error('no backend')
          return 'bad'
        },
      })
      expect(await rejection(bad.ready())).to.have.property('code', 'invalid_token')
      expect(tokens).to.equal(3)
      let isBroken = false
      const good = site.client({
        token: () => {
          if (isBroken) throw new Error('no backend')
          return connectToken('jim')
        },
      })
      await good.ready()
      isBroken = true
      let failures = 0
      good.on('reconnect', (error) => {
        failures += 1
        isBroken = failures < 4
        if (!error) failures = 100
      })
      cut(site)
      await until(() => failures === 100)
      expect(good.state).to.equal('ready')
    })

    it('shows frames as they come and go, and sends one as it is', async () => {
      const site = await start()
      const socket = open(site, 'jim')
      const frames: [string, string][] = []
      socket.on('frameIn', (text) => frames.push(['in', text]))
      socket.on('frameOut', (text) => frames.push(['out', text]))
      await socket.ready()
      expect(frames.map(([way, text]) => [way, JSON.parse(text).rpc])).to.deep.equal([
        ['out', 'auth'],
        ['in', 'auth'],
      ])
      const raw = '{"rpc":"echo","req":5,"uuid":"mine"}'
      socket.sendRaw(raw)
      await until(() => frames.length === 4)
      expect(frames[2]).to.deep.equal(['out', raw])
      expect(JSON.parse(frames[3]?.[1] ?? '')).to.deep.include({ uuid: 'mine', resp: 5 })
      socket.suspend()
      expect(() => socket.sendRaw(raw))
        .to.throw()
        .with.property('code', 'connection_lost')
    })

    it('binds nothing any more after #end', async () => {
      const site = await start()
      const socket = open(site, 'jim')
      const channel = socket.channel('c')
      channel.bind('e', () => {})
      await next(channel, 'subscribed')
      await socket.end()
      channel.bind('e', () => {})
      expect(await rejection(channel.send('e'))).to.have.property('code', 'ended')
      expect(await rejection(channel.subscribe())).to.have.property('code', 'ended')
    })
  })
})
