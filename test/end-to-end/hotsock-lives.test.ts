/** What a client in Hotsock's words keeps through the lives of its connections, and what it says. */
import type { HotsockClient, HotsockClientOptions } from '@token-socket/client/hotsock'
import { expect } from 'chai'
import { deferred, rejection, until } from './fixture.js'
import { rights, sign, token, useHotsock } from './hotsock-world.js'

describe('HotsockClient through the lives of its connections', () => {
  const world = useHotsock()
  const { open, heard, joined } = world

  describe('what a handler was bound with', () => {
    const WAYS: readonly (readonly [
      how: string,
      again: (client: HotsockClient) => Promise<unknown> | unknown,
    ])[] = [
      ['a lost connection', () => world.site.sockets.sockets()[0]?.end()],
      [
        '`suspend` and `resume`',
        async (client) => {
          client.suspend()
          await until(() => world.site.sockets.sockets().length === 0)
          client.resume()
        },
      ],
      [
        'an end of the socket below and `resume`',
        async (client) => {
          await client.socket.end()
          client.resume()
        },
      ],
    ]

    /** A client that needs a token of the channel's own. */
    function priv(options: Partial<HotsockClientOptions> = {}) {
      const client = open({ connectTokenFn: () => token({ channels: {} }), logLevel: 'silent', ...options })
      const asked: string[] = []
      const channel = client.channels('private')
      channel.subscribeTokenFn = async ({ channel, connectionId }) => {
        asked.push(channel)
        return sign({ scope: 'subscribe', connectionId, channels: { [channel]: rights } })
      }
      const messages: unknown[] = []
      channel.bind('my-event', ({ data }) => messages.push(data))
      channel.bind('other', () => {})
      return { client, channel, asked, messages }
    }

    for (const [how, again] of WAYS)
      it(`lives through ${how}`, async () => {
        const { client, channel, asked, messages } = priv()
        await heard(client, 'hotsock.subscribed')
        const subscribed = heard(client, 'hotsock.subscribed')
        await again(client)
        await subscribed
        expect(asked).to.deep.equal(['private', 'private'])
        channel.sendMessage('my-event', { data: 1 })
        await until(() => messages.length === 1)
      })

    it('lives through a failed sign-in and `resume`', async () => {
      let isOffline = true
      const connectTokenFn = () => {
        if (isOffline) throw new Error('offline')
        return token({ channels: {} })
      }
      const { client, channel, asked, messages } = priv({ connectTokenFn, connectTokenFnMaxAttempts: 1 })
      await rejection(client.socket.ready())
      isOffline = false
      const subscribed = heard(client, 'hotsock.subscribed')
      client.resume()
      await subscribed
      expect(asked).to.deep.equal(['private'])
      channel.sendMessage('my-event', { data: 1 })
      await until(() => messages.length === 1)
    })

    it('counts for the next `bind` after `terminate`', async () => {
      const { client, channel, asked } = priv()
      await heard(client, 'hotsock.subscribed')
      client.terminate()
      const subscribed = heard(client, 'hotsock.subscribed')
      channel.bind('my-event', () => {})
      await subscribed
      expect(asked).to.deep.equal(['private', 'private'])
    })
  })

  it('says in each `hotsock.` message who it is now', async () => {
    let name = 'Jim'
    const client = open({ connectTokenFn: () => token({ umd: { name } }) })
    const seen: unknown[][] = []
    client.bind(/^hotsock\./, ({ event, meta }) => seen.push([event.slice(8), meta.uid, meta.umd]))
    client.channels('room-1').bind('my-event', () => {})
    await until(() => seen.length === 2)
    name = 'James'
    await client.socket.refresh()
    const other = open({ connectTokenFn: () => token({ uid: '23456' }) })
    await joined('room-1', other)
    await until(() => seen.length >= 4)
    client.suspend()
    await until(() => world.site.sockets.sockets().length === 1)
    client.resume()
    await until(() => seen.filter(([event]) => event === 'subscribed').length === 2)
    client.unbind('my-event', { channel: 'room-1' })
    await until(() => seen.at(-1)?.[0] === 'unsubscribed')
    const old = [
      ['connected', '12345', { name: 'Jim' }],
      ['subscribed', '12345', { name: 'Jim' }],
    ]
    expect(seen.slice(0, 2)).to.deep.equal(old)
    for (const [event, ...meta] of seen.slice(2))
      expect([event, ...meta]).to.deep.equal([event, '12345', { name: 'James' }])
    expect(new Set(seen.map(([event]) => event))).to.include.keys('memberAdded', 'memberUpdated')
  })

  it('gives each message a `meta`, of a sender without a `uid` too', async () => {
    const { messages } = await joined()
    world.site.sockets.publish('my-channel', 1, { event: 'my-event' })
    await until(() => messages.length === 1)
    expect(messages[0]?.meta).to.deep.equal({})
  })

  it('has no @@error for a wanted `suspend`', async () => {
    const { client } = await joined()
    const seen: string[] = []
    client.bind('@@error', () => seen.push('error'))
    client.bind('@@disconnect', () => seen.push('disconnect'))
    client.suspend()
    await until(() => seen.includes('disconnect'))
    expect(seen).to.deep.equal(['disconnect'])
  })

  it('names `connectTokenFn` in the log where it fails, and gives its error as the cause', async () => {
    const lines: unknown[] = []
    const { promise, resolve } = deferred<Error>()
    const connectTokenFn = () => {
      throw new Error('offline')
    }
    const logger = { debug() {}, warn: (...line: unknown[]) => lines.push(line[0]) }
    open({ connectTokenFn, connectTokenFnMaxAttempts: 1, connectTokenErrorFn: resolve, logger })
    expect((await promise).cause).to.have.property('message', 'offline')
    expect(lines).to.have.length(1)
    expect(lines[0]).to.include('`connectTokenFn` fails').and.to.not.include('`token`')
  })

  it('sends the reader of its log to that of the server where a token is refused', async () => {
    const lines: unknown[] = []
    const logger = { debug() {}, warn: (...line: unknown[]) => lines.push(line[0]) }
    const connectTokenFn = () => token({ scope: 'connect subscribe' })
    const client = open({ connectTokenFn, connectTokenFnMaxAttempts: 1, logger })
    await rejection(client.socket.ready())
    expect(lines[0]).to.include('Invalid token').and.to.include('log of the server has the cause')
  })
})
