/** Hotsock's client as its users write it, over this wire: `@token-socket/client/hotsock`. */
import { HotsockClient, type HotsockClientOptions } from '@token-socket/client/hotsock'
import { expect } from 'chai'
import { deferred, rejection, until } from './fixture.js'
import { KEY, sign, token, useHotsock } from './hotsock-world.js'

describe('HotsockClient', () => {
  const world = useHotsock()
  const { start, open, heard, joined, keep } = world

  describe('the constructor', () => {
    const TABLE: readonly (readonly [url: unknown, options: object, text: string])[] = [
      [undefined, { connectTokenFn: () => '' }, 'webSocketUrl'],
      ['', { connectTokenFn: () => '' }, 'webSocketUrl'],
      ['wss://example.com?token=a', { connectTokenFn: () => '' }, 'webSocketUrl'],
      ['wss://example.com', {}, 'connectTokenFn'],
      ['wss://example.com', { connectTokenFn: () => '', heartbeatIntervalSeconds: 4 }, 'heartbeat'],
      ['wss://example.com', { connectTokenFn: () => '', heartbeatIntervalSeconds: 601 }, 'heartbeat'],
    ]

    for (const [url, options, text] of TABLE) {
      it(`refuses ${url} with ${Object.keys(options)}`, () => {
        expect(() => new HotsockClient(url as string, options as HotsockClientOptions)).to.throw(
          TypeError,
          text,
        )
      })
    }

    it('takes the path of the URL as the prefix', async () => {
      const other = await start({
        prefix: '/v1',
        tokenRoute: '/t',
        keys: { app: { algorithm: 'HS256', key: KEY } },
      })
      const client = new HotsockClient(`ws://${other.host}/v1`, { connectTokenFn: () => token() })
      keep(client)
      await client.socket.ready()
    })
  })

  it('asks connectTokenFn before each connection', async () => {
    let calls = 0
    const connectTokenFn = () => {
      calls += 1
      return token()
    }
    const { client } = await joined('my-channel', open({ connectTokenFn }))
    const again = heard(client, 'hotsock.connected')
    world.site.sockets.sockets()[0]?.end()
    await again
    expect(calls).to.equal(2)
  })

  it('gives connectTokenErrorFn the error after connectTokenFnMaxAttempts', async () => {
    const { promise, resolve } = deferred<Error>()
    let calls = 0
    const connectTokenFn = () => {
      calls += 1
      throw new Error('no token')
    }
    open({ connectTokenFn, connectTokenFnMaxAttempts: 1, connectTokenErrorFn: resolve, logLevel: 'silent' })
    expect(await promise).to.include({ code: 'token_failed' })
    expect(calls).to.equal(1)
  })

  it('waits for a channel or a message with lazyConnection', async () => {
    const client = open({ lazyConnection: true })
    client.bind('my-event', () => {})
    expect(client.socket.state).to.equal('suspended')
    await joined('my-channel', client)
  })

  it('delivers messages by event, by expression, and of any channel', async () => {
    const { client, channel, messages } = await joined()
    const all: string[] = []
    const anywhere: string[] = []
    client.bind(/.+/, ({ event }) => all.push(event), { channel: 'my-channel' })
    client.bind('other', ({ event }) => anywhere.push(event))
    channel.sendMessage('my-event', { data: { a: 1 } })
    client.sendMessage('other', { channel: 'my-channel' })
    client.sendRawMessage('{"event":"my-event","channel":"my-channel","data":2}')
    await until(() => all.length === 3)
    expect(messages.map(({ data }) => data)).to.deep.equal([{ a: 1 }, 2])
    expect(messages[0]).to.deep.include({
      event: 'my-event',
      channel: 'my-channel',
      meta: { uid: '12345', umd: { name: 'Jim' } },
    })
    expect(messages[0]?.id).to.be.a('string')
    expect([all, anywhere]).to.deep.equal([['my-event', 'other', 'my-event'], ['other']])
  })

  it('works by functions alone', async () => {
    const { bind, channels, sendMessage, unbind } = open()
    const subscribed = deferred()
    bind('hotsock.subscribed', () => subscribed.resolve(), { channel: 'my-channel' })
    await subscribed.promise
    const came = deferred()
    channels('my-channel').bind('my-event', () => came.resolve())
    sendMessage('my-event', { channel: 'my-channel' })
    await came.promise
    unbind('my-event', { channel: 'my-channel' })
  })

  it('says who it is on a channel, and who else is there', async () => {
    const { client, channel, binding } = await joined('room-1')
    const added = heard(client, 'hotsock.memberAdded')
    const other = open({ connectTokenFn: () => token({ uid: '23456', umd: { name: 'Dwight' } }) })
    await joined('room-1', other)
    const member = { uid: '23456', umd: { name: 'Dwight' } }
    const members = [{ uid: '12345', umd: { name: 'Jim' } }, member]
    expect((await added).data).to.deep.equal({ member, members })
    for (const info of [channel, binding.channel]) {
      expect(info).to.include({ name: 'room-1', uid: '12345' })
      expect(info?.umd).to.deep.equal({ name: 'Jim' })
      expect(info?.members).to.deep.equal(members)
    }
    const removed = heard(client, 'hotsock.memberRemoved')
    other.terminate()
    expect((await removed).data).to.deep.equal({ member, members: members.slice(0, 1) })
  })

  it('says its connectionId, and when its authorisation ends', async () => {
    const client = open()
    const { data, meta } = await heard(client, 'hotsock.connected')
    const [socket] = world.site.sockets.sockets()
    expect(data).to.deep.equal({ connectionId: socket?.sid })
    expect(meta).to.deep.equal({ uid: '12345', umd: { name: 'Jim' } })
    expect(client.activeConnection).to.include({ connectionId: socket?.sid, uid: '12345' })
    expect(client.activeConnection.connectionExpiresAt).to.be.instanceOf(Date)
  })

  it('asks subscribeTokenFn with the channel and the connection', async () => {
    const client = open({ connectTokenFn: () => token({ channels: {} }) })
    const channel = client.channels('another')
    channel.subscribeTokenFn = async ({ channel, connectionId }) =>
      sign({ scope: 'subscribe', connectionId, channels: { [channel]: { subscribe: true } } })
    const subscribed = heard(client, 'hotsock.subscribed')
    channel.bind('my-event', () => {})
    expect(await subscribed).to.include({ channel: 'another' })
  })

  it('unsubscribes with the last handler', async () => {
    const { client, binding, channel } = await joined()
    const more = channel.bind('other', () => {})
    binding.unbind()
    const gone = heard(client, 'hotsock.unsubscribed')
    expect(client.socket.channels()).to.deep.equal(['my-channel'])
    channel.unbind('other')
    await gone
    expect(client.socket.channels()).to.deep.equal([])
    more.unbind()
  })

  it('unbinds one handler, or all of an event', async () => {
    const { client, channel, messages } = await joined()
    const more: unknown[] = []
    const messageFn = () => more.push(1)
    channel.bind('my-event', messageFn)
    channel.unbind('my-event', { messageFn })
    channel.sendMessage('my-event')
    await until(() => messages.length === 1)
    client.unbind('my-event', { channel: 'my-channel' })
    expect(more).to.deep.equal([])
    expect(client.socket.channels()).to.deep.equal([])
  })

  it('says what failed as hotsock.error', async () => {
    const client = open()
    client.sendMessage('chat', { channel: 'forbidden' })
    const error = (channel: string) => ({ code: 'forbidden', message: `Forbidden: ${channel}` })
    expect(await heard(client, 'hotsock.error')).to.deep.include({
      channel: 'forbidden',
      error: error('forbidden'),
    })
    const refused = heard(client, 'hotsock.error')
    client.bind('chat', () => {}, { channel: 'another' })
    expect(await refused).to.deep.include({ channel: 'another', error: error('another') })
  })

  it('refuses a message without an event or a channel, and leaves Hotsock’s own alone', () => {
    const client = open()
    expect(() => client.sendMessage('')).to.throw(TypeError, 'event')
    expect(() => client.sendMessage('chat')).to.throw(TypeError, 'channel')
    expect(() => client.bind('chat', undefined as never)).to.throw(TypeError, 'messageFn')
    client.sendRawMessage('{"event":"hotsock.ping"}')
  })

  it('tells of frames and of the connection by @@ events', async () => {
    const client = open()
    const came: unknown[] = []
    client.bind(/.+/, ({ event }) => came.push(event))
    const seen = await Promise.all([
      heard(client, '@@connect'),
      heard(client, '@@message'),
      heard(client, '@@messageSent'),
    ])
    expect(seen[0]).to.deep.equal({ type: 'open' })
    expect(seen[1].data).to.include('success')
    expect(seen[2]).to.include('"rpc":"auth"')
    const events = Promise.all([heard(client, '@@disconnect'), heard(client, '@@error')])
    world.site.sockets.sockets()[0]?.end()
    expect((await events)[0]).to.include({ type: 'close', code: 4001 })
    expect(came.filter((event) => String(event).startsWith('@@'))).to.deep.equal([])
  })

  it('suspends and resumes with its handlers', async () => {
    const { client, channel, messages } = await joined()
    client.suspend()
    await until(() => world.site.sockets.sockets().length === 0)
    const subscribed = heard(client, 'hotsock.subscribed')
    client.resume()
    await subscribed
    channel.sendMessage('my-event')
    await until(() => messages.length === 1)
  })

  it('resumes after its sign-in has failed', async () => {
    let isGood = false
    const client = open({
      connectTokenFn: () => (isGood ? token() : 'bad'),
      connectTokenFnMaxAttempts: 1,
      logLevel: 'silent',
    })
    await rejection(client.socket.ready())
    isGood = true
    const subscribed = heard(client, 'hotsock.subscribed', 'my-channel')
    client.resume()
    await subscribed
  })

  it('terminates, and connects again for the next channel', async () => {
    const { client, messages } = await joined()
    const gone = heard(client, '@@disconnect')
    client.terminate()
    await gone
    const { channel, messages: later } = await joined('my-channel', client)
    channel.sendMessage('my-event')
    await until(() => later.length === 1)
    expect(messages).to.deep.equal([])
  })

  it('calls the other handlers where one throws', async () => {
    const { client, channel, messages } = await joined()
    const uncaught = deferred<Error>()
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', uncaught.resolve)
    try {
      client.bind('my-event', () => {
        throw new Error('of a handler')
      })
      channel.bind('my-event', (message) => messages.push(message))
      channel.sendMessage('my-event')
      await until(() => messages.length === 2)
      expect((await uncaught.promise).message).to.equal('of a handler')
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })
})
