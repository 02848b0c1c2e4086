/** Each row of docs/HOTSOCK.md, done. */
import { readFileSync } from 'node:fs'
import type { TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { next, rejection, type Site, until, useSites } from './fixture.js'

const KEY = 'the key of the application, 32 bytes or more'
const text = readFileSync(new URL('../../docs/HOTSOCK.md', import.meta.url), 'utf8')

/** The first cells of all tables. */
const documented = [...text.matchAll(/^\| (.+?) \| .+ \|$/gm)]
  .map(([, cell = '']) => cell)
  .filter((cell) => cell !== 'Hotsock')

describe('coming from Hotsock', () => {
  const start = useSites()
  let site: Site

  beforeEach(async () => {
    site = await start({
      channels: { 'room-*': { presence: true } },
      keys: { app: { algorithm: 'HS256', key: KEY } },
      issuer: 'app',
      authentication: () => false,
    })
  })

  const sign = (claims: object) => jwt.sign({ iss: 'app', ...claims }, KEY, { expiresIn: 30 })

  /** What the user may do in these tests. */
  const rights = {
    subscribe: true,
    historyStart: 0,
    messages: { '*': { publish: true, echo: true, store: 60 } },
  }

  const claims = (more: object = {}) => ({
    scope: 'connect',
    uid: '12345',
    umd: { name: 'Jim' },
    channels: { 'my-channel': rights, 'room-1': rights },
    ...more,
  })

  const token = (more?: object) => sign(claims(more))
  const open = (options: TokenSocketOptions = {}) => site.client({ token: () => token(), ...options })
  const rejected = async (more: object) =>
    (await rejection(open({ token: () => sign({ ...claims(), ...more }), reconnect: false }).ready())).code

  /** A socket with a channel that is subscribed to. */
  async function joined(name = 'my-channel') {
    const socket = open()
    const channel = socket.channel(name)
    const heard: unknown[] = []
    const binding = channel.bind('my-event', (message) => heard.push(message))
    await next(channel, 'subscribed')
    return { socket, channel, binding, heard }
  }

  const rows: Readonly<Record<string, () => Promise<void>>> = {
    '`new HotsockClient(url, { connectTokenFn })`': async () => {
      for (const given of [token(), () => token(), async () => token()]) await open({ token: given }).ready()
    },
    '`connectTokenFnMaxAttempts`': async () => {
      let calls = 0
      const socket = open({ token: () => `bad ${++calls}` })
      expect((await rejection(socket.ready())).code).to.equal('invalid_token')
      expect(calls).to.equal(2)
    },
    '`lazyConnection`': async () => {
      const socket = open({ lazy: true })
      expect(socket.state).to.equal('suspended')
      await socket.ready()
    },
    '`logLevel`': async () => {
      const lines: string[] = []
      const logger = { debug: (line: string) => lines.push(line), warn: (line: string) => lines.push(line) }
      await open({ logger, logLevel: 'warn' }).ready()
      expect(lines).to.deep.equal([])
      await open({ logger, logLevel: 'debug' }).ready()
      expect(lines).not.to.deep.equal([])
    },
    '`client.suspend()`': async () => {
      const { socket, channel } = await joined()
      socket.suspend()
      await until(() => site.sockets.sockets().length === 0)
      expect([socket.state, socket.channels()]).to.deep.equal(['suspended', [channel.name]])
    },
    '`client.resume()`': async () => {
      const { socket, heard } = await joined()
      socket.suspend()
      await site.sockets.publish('my-channel', 'missed', { event: 'my-event', store: 60_000 })
      socket.resume()
      await until(() => heard.length === 1)
    },
    '`client.terminate()`': async () => {
      const { socket } = await joined()
      await socket.end()
      expect((await rejection(socket.rpc('echo'))).code).to.equal('ended')
    },
    '`client.channels("my-channel")`': async () => {
      const socket = open()
      expect(socket.channel('my-channel')).to.equal(socket.channel('my-channel'))
    },
    '`myChannel.subscribeTokenFn = fn`': async () => {
      const socket = open({ token: () => token({ channels: {} }) })
      const channel = socket.channel('another', {
        token: async ({ channel, connectionId }) =>
          sign({ scope: 'subscribe', connectionId, channels: { [channel]: { subscribe: true } } }),
      })
      channel.bind('my-event', () => {})
      await next(channel, 'subscribed')
    },
    '`myChannel.bind("my-event", fn)`': async () => {
      const { channel, heard } = await joined()
      await channel.send('my-event')
      await until(() => heard.length === 1)
    },
    '`client.bind("my-event", fn, { channel })`': async () => {
      const socket = open()
      const came = new Promise((resolve) => socket.bind('my-event', resolve, { channel: 'my-channel' }))
      await next(socket.channel('my-channel'), 'subscribed')
      await socket.channel('my-channel').send('my-event')
      await came
    },
    '`client.bind(/.+/, fn, { channel })`': async () => {
      const socket = open()
      const came = new Promise((resolve) => socket.bind(/.+/, resolve, { channel: 'my-channel' }))
      await next(socket.channel('my-channel'), 'subscribed')
      await socket.channel('my-channel').send('whatever')
      await came
    },
    'the message `{ id, event, channel, data, meta }`': async () => {
      const { channel, heard } = await joined()
      const receipt = await channel.send('my-event', { a: 1 })
      await until(() => heard.length === 1)
      const [{ time, ...message }] = heard as [{ time: number }]
      expect(message).to.deep.equal({
        ...receipt,
        event: 'my-event',
        channel: 'my-channel',
        data: { a: 1 },
        meta: { uid: '12345', umd: { name: 'Jim' } },
      })
    },
    '`binding.channel.uid`': async () => {
      expect((await joined()).binding.channel.uid).to.equal('12345')
    },
    '`binding.channel.umd`': async () => {
      expect((await joined()).binding.channel.umd).to.deep.equal({ name: 'Jim' })
    },
    '`binding.channel.name`': async () => {
      expect((await joined()).binding.channel.name).to.equal('my-channel')
    },
    '`binding.channel.members`': async () => {
      const { binding } = await joined('room-1')
      const came = next(binding.channel, 'joined')
      await open({ token: () => token({ uid: '23456', umd: { name: 'Dwight' } }) }).subscribe('room-1')
      expect(await came).to.deep.equal([{ uid: '23456', umd: { name: 'Dwight' } }])
      expect(binding.channel.members).to.deep.equal([
        { uid: '12345', umd: { name: 'Jim' } },
        { uid: '23456', umd: { name: 'Dwight' } },
      ])
    },
    '`myChannel.sendMessage("isTyping")`': async () => {
      const { channel } = await joined()
      expect(await channel.send('isTyping')).to.have.property('id')
    },
    '`myChannel.sendMessage("chat", { data })`': async () => {
      const { channel } = await joined()
      expect(await channel.send('chat', { message: 'Hello!' })).to.include({ offset: 1 })
    },
    '`client.sendMessage("chat", { channel, data })`': async () => {
      const { socket, heard } = await joined()
      await socket.channel('my-channel').send('my-event', 1)
      await socket.publish('my-channel', 2, { event: 'my-event' })
      await until(() => heard.length === 2)
    },
    '`client.sendRawMessage(json)`': async () => {
      const { socket, heard } = await joined()
      socket.sendRaw('{"rpc":"_publish","req":{"channel":"my-channel","event":"my-event"},"uuid":"raw"}')
      await until(() => heard.length === 1)
    },
    '`binding.unbind()`': async () => {
      const { channel, binding } = await joined()
      binding.unbind()
      await next(channel, 'unsubscribed')
    },
    '`client.unbind("my-event", { channel })`': async () => {
      const { socket, channel } = await joined()
      socket.unbind('my-event', { channel: 'my-channel' })
      await next(channel, 'unsubscribed')
    },
    '`@@message`': async () => {
      const socket = open()
      expect(String((await next(socket, 'frameIn'))[0])).to.include('"success"')
    },
    '`@@messageSent`': async () => {
      const socket = open()
      expect(String((await next(socket, 'frameOut'))[0])).to.include('"rpc":"auth"')
    },
    '`@@connect`': async () => {
      await next(open(), 'connect')
    },
    '`@@disconnect`': async () => {
      const { socket } = await joined()
      const gone = next(socket, 'disconnect')
      site.sockets.sockets()[0]?.end()
      await gone
    },
    '`@@error`': async () => {
      const { socket } = await joined()
      const failed = next(socket, 'error')
      site.sockets.sockets()[0]?.end({ reconnect: false })
      await failed
    },
    '`hotsock.connected` and its `connectionId`': async () => {
      const socket = open()
      await next(socket, 'connect')
      expect(socket.sid).to.equal(site.sockets.sockets()[0]?.sid)
    },
    '`hotsock.subscribed`': async () => {
      await joined()
    },
    'data of up to 32 KiB': async () => {
      const { channel } = await joined()
      await channel.send('my-event', 'x'.repeat(32_766))
      expect((await rejection(channel.send('my-event', 'x'.repeat(32_767)))).code).to.equal('too_large')
    },
    '`exp`': async () => {
      const old = jwt.sign({ iss: 'app', ...claims() }, KEY, { expiresIn: -10 })
      expect((await rejection(open({ token: old }).ready())).code).to.equal('invalid_token')
    },
    '`scope: "connect"`': async () => {
      expect(await rejected({ scope: 'subscribe' })).to.equal('invalid_token')
    },
    '`scope: "subscribe"`': async () => {
      const socket = open()
      const forOther = () => sign({ scope: 'subscribe', connectionId: 'another', channels: { c: rights } })
      const channel = socket.channel('c', { token: forOther })
      expect((await rejection(channel.subscribe())).code).to.equal('invalid_token')
      channel.token = ({ connectionId }) =>
        sign({ scope: 'subscribe', connectionId, channels: { c: rights } })
      await channel.subscribe()
    },
    '`jti`': async () => {
      const once = token({ jti: 'once' })
      await open({ token: once }).ready()
      expect((await rejection(open({ token: once }).ready())).code).to.equal('invalid_token')
    },
    '`iss`': async () => {
      expect(await rejected({ iss: 'another' })).to.equal('invalid_token')
    },
    '`uid`': async () => {
      const socket = open()
      await socket.ready()
      expect(socket.uid).to.equal('12345')
    },
    '`umd`': async () => {
      const socket = open()
      await socket.ready()
      expect(socket.umd).to.deep.equal({ name: 'Jim' })
    },
    '`channels`': async () => {
      const channels = {
        exact: { subscribe: true },
        'a*': { subscribe: true },
        '#regex:^b[0-9]$': { subscribe: true },
      }
      const socket = open({ token: () => token({ channels }) })
      for (const name of ['exact', 'abc', 'b7']) await socket.subscribe(name)
      for (const name of ['exactly', 'b77', 'my-channel']) {
        expect((await rejection(socket.subscribe(name))).code).to.equal('forbidden')
      }
    },
    '`subscribe`': async () => {
      const socket = open({
        token: () => token({ channels: { no: { subscribe: false }, '*': { subscribe: true } } }),
      })
      await socket.subscribe('yes')
      expect((await rejection(socket.subscribe('no'))).code).to.equal('forbidden')
    },
    '`autoSubscribe`': async () => {
      const socket = open({ token: () => token({ channels: { auto: { autoSubscribe: true } } }) })
      await next(socket.channel('auto'), 'subscribed').then(() =>
        until(() => socket.channels().includes('auto')),
      )
    },
    '`historyStart`': async () => {
      await site.sockets.publish('my-channel', 1, { event: 'old', store: 60_000 })
      const { channel } = await joined()
      expect(await channel.history()).to.have.length(1)
      const from = Math.ceil(Date.now() / 1000) + 1
      const later = open({
        token: () => token({ channels: { 'my-channel': { subscribe: true, historyStart: from } } }),
      })
      expect(await later.history('my-channel')).to.have.length(0)
    },
    '`messages.publish`': async () => {
      const channels = { 'my-channel': { messages: { chat: { publish: true } } } }
      const channel = open({ token: () => token({ channels }) }).channel('my-channel')
      await channel.send('chat')
      expect((await rejection(channel.send('other'))).code).to.equal('forbidden')
    },
    '`messages.echo`': async () => {
      const messages = { loud: { publish: true, echo: true }, quiet: { publish: true } }
      const socket = open({
        token: () => token({ channels: { 'my-channel': { subscribe: true, messages } } }),
      })
      const heard: unknown[] = []
      const channel = socket.channel('my-channel')
      channel.bind(/./, ({ event }) => heard.push(event))
      await next(channel, 'subscribed')
      await channel.send('quiet')
      await channel.send('loud')
      await until(() => heard.length === 1)
      expect(heard).to.deep.equal(['loud'])
    },
    '`messages.store`': async () => {
      const { channel } = await joined()
      await channel.send('kept')
      expect((await channel.history()).map(({ event }) => event)).to.deep.equal(['kept'])
    },
    '`connection/listMessages` with `after`': async () => {
      const { channel } = await joined()
      const first = await channel.send('a')
      await channel.send('b')
      const after = await channel.history({ after: first?.id })
      expect(after.map(({ event }) => event)).to.deep.equal(['b'])
      const page = await site.sockets.history('my-channel', { after: first?.id })
      expect(page.publications.map(({ event }) => event)).to.deep.equal(['b'])
    },
    '100 messages a request': async () => {
      const { channel } = await joined()
      for (let n = 0; n < 101; n += 1) await site.sockets.publish('my-channel', n, { store: 60_000 })
      expect(await channel.history()).to.have.length(100)
    },
    'decoding the time from the id': async () => {
      const { channel } = await joined()
      await channel.send('a')
      const [message] = await channel.history()
      expect(message?.time).to.be.within(Date.now() - 10_000, Date.now())
    },
  }

  const refusedTokens: Readonly<Record<string, readonly object[]>> = {
    '`scope: "connect subscribe"`': [{ scope: 'connect subscribe' }],
    '`scope: "umd"`': [{ scope: 'umd' }],
    '`store: -1`': [{ channels: { c: { messages: { chat: { publish: true, store: -1 } } } } }],
    '`alias`, `getInfo`, `omitFromSubCount`, `storage`, `umdUpdate` of a channel': [
      { alias: 'a' },
      { getInfo: true },
      { omitFromSubCount: true },
      { storage: {} },
      { umdUpdate: true },
    ].map((own) => ({ channels: { c: { subscribe: true, ...own } } })),
    '`broadcast`, `emitPubSubEvent`, `react`, `scheduleBefore` of a message': [
      { broadcast: true },
      { emitPubSubEvent: true },
      { react: true },
      { scheduleBefore: 1 },
    ].map((own) => ({ channels: { c: { messages: { chat: own } } } })),
  }

  const differences: Readonly<Record<string, () => Promise<void>>> = {
    ...Object.fromEntries(
      Object.entries(refusedTokens).map(([row, tokens]) => [
        row,
        async () => {
          for (const wrong of tokens) expect(await rejected(wrong)).to.equal('invalid_token')
        },
      ]),
    ),
    'a subscribe token with `uid` instead of `connectionId`': async () => {
      const channel = open().channel('c', {
        token: () => sign({ scope: 'subscribe', uid: '12345', channels: { c: rights } }),
      })
      expect((await rejection(channel.subscribe())).code).to.equal('invalid_token')
    },
    'a second use of a token with `jti`': async () => {
      const once = token({ jti: 'another' })
      await open({ token: once }).ready()
      expect((await rejection(open({ token: once }).ready())).code).to.equal('invalid_token')
    },
    '`singleUse: true` without `jti`': async () => {
      const once = token({ singleUse: true })
      await open({ token: once }).ready()
      expect((await rejection(open({ token: once }).ready())).code).to.equal('invalid_token')
      for (const singleUse of [1, 'true'])
        expect((await rejection(open({ token: token({ singleUse }) }).ready())).code).to.equal(
          'invalid_token',
        )
      const many = token()
      for (const given of [many, many]) await open({ token: given }).ready()
    },
    '`publish` while not on the channel': async () => {
      const receipt = await open().publish('my-channel', 1, { event: 'my-event' })
      expect(receipt?.id).to.be.a('string')
    },
    '`keepAlive`, `heartbeatTimeout`': async () => {
      await open({ token: token({ keepAlive: true, heartbeatTimeout: 5 }) }).ready()
    },
    'the end of `exp` on an open connection': async () => {
      const socket = open()
      await socket.ready()
      expect(socket.session?.expiresAt).to.be.a('number')
    },
  }

  it('has a test for each row of the document, and no other', () => {
    expect(Object.keys({ ...rows, ...differences })).to.have.members(documented)
  })

  for (const [row, check] of Object.entries({ ...rows, ...differences })) it(`${row} works`, check)
})
