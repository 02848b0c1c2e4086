/** What a server says outside production only: data that JSON changes, functions that are misspelt, histories of nothing. */
import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import { rejection, type Site, type SiteOptions, until, useSites } from './fixture.js'

const SENDS = [
  'an answer',
  'the argument of a call',
  'a publication',
  'a broadcast',
  'what `authentication` gave',
] as const

describe('a development server', () => {
  const start = useSites()
  const environment = process.env.NODE_ENV
  beforeEach(() => {
    delete process.env.NODE_ENV
  })
  afterEach(() => {
    if (environment === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = environment
  })

  const lost = () => ({ items: [{ when: new Map() }] })
  const warnings = (site: Site, part: string) =>
    site.log.filter(({ level, message }) => level === 'warn' && message.includes(part))

  async function open(options: SiteOptions = {}) {
    const site = await start({
      app: express(),
      socketController: { orders: { list: lost, pay: () => 'paid' } },
      ...options,
    })
    const pair = await site.pair(
      {},
      { refresh: (data: unknown) => data, fail: () => Promise.reject(new Error('no')) },
    )
    return { site, ...pair }
  }

  /** Sends what JSON changes in each way that there is, twice. */
  async function sendAll() {
    const authentication = () => ({ uid: 'ann', roles: new Set(['admin']) })
    const { site, client, socket } = await open({ authentication })
    await site.pair()
    for (let left = 2; left > 0; left -= 1) {
      await client.rpc('orders.list')
      await socket.rpc('refresh', lost())
      await site.sockets.publish('news', lost())
      await site.sockets.broadcast(lost())
    }
    return site
  }

  it('warns at its start of rules that mean no function', async () => {
    const rule = { timeout: 1000 }
    const functions = { 'orders.pay': rule, 'order.list': rule, 'ord*': rule, 'reports.*': rule, hello: rule }
    const { site } = await open({
      functions,
      routes: { hello: (_request, response) => void response.json(1) },
    })
    expect(warnings(site, 'a rule of functions').map(({ details }) => details)).to.deep.equal([
      { option: 'functions', rule: 'order.list', didYouMean: 'orders.list' },
      { option: 'functions', rule: 'reports.*' },
    ])
    const { site: empty } = await open({ functions, socketController: {} })
    expect(warnings(empty, 'a rule of functions')).to.deep.equal([])
  })

  describe('warns of what JSON changes', () => {
    it('on one line, cut, whatever the keys of the data are', async () => {
      const keys = ['a\nTokenSocket: an error {}', 'x'.repeat(100_000)]
      const data = () => Object.fromEntries(keys.map((key, at) => [key, at === 0 ? new Map() : new Set()]))
      const { site, client } = await open({ socketController: { list: data } })
      await client.rpc('list')
      const lines = warnings(site, 'JSON changes')
      expect(lines).to.have.length(2)
      for (const { message, details } of lines) {
        expect(message).not.to.match(/[\n\r]/)
        expect(`${message}${details.path}`.length).to.be.below(500)
      }
    })

    it('once for each function or channel, with the path, the type and the remedy', async () => {
      const site = await sendAll()
      const lines = warnings(site, 'JSON changes')
      expect(lines.map(({ message }) => message).sort()).to.deep.equal(
        SENDS.map((sent) =>
          sent.startsWith('what')
            ? `JSON changes ${sent}: data.roles is a Set`
            : `JSON changes ${sent}: data.items[0].when is a Map`,
        ).sort(),
      )
      const remedy = 'it becomes {}: send Object.fromEntries(map), or [...map]'
      const where = { path: 'data.items[0].when', type: 'a Map', remedy }
      const detailsOf = (sent: string) => lines.find(({ message }) => message.includes(sent))?.details
      expect(detailsOf('an answer')).to.deep.equal({ function: 'orders.list', ...where })
      expect(detailsOf('argument')).to.deep.equal({ function: 'refresh', ...where })
      expect(detailsOf('a publication')).to.deep.equal({ channel: 'news', ...where })
      expect(detailsOf('a broadcast')).to.deep.equal(where)
      expect(detailsOf('authentication')).to.include({ option: 'authentication', path: 'data.roles' })
    })

    it('of two hundred channels at most', async () => {
      const { site } = await open()
      for (let count = 0; count < 250; count += 1)
        await site.sockets.publish(`channel-${count}`, [Number.NaN])
      expect(warnings(site, 'JSON changes')).to.have.length(200)
    })

    it('not of what JSON carries, and not of what clients send', async () => {
      const { site, client } = await open({
        socketController: { echo: (_auth: unknown, data: unknown) => data },
      })
      await client.rpc('echo', { at: new Date(), list: [1, 'a', null], url: new URL('http://a.example') })
      await site.sockets.publish('news', { at: new Date(), list: [{ a: { b: undefined } }] })
      expect(warnings(site, 'JSON changes')).to.deep.equal([])
    })

    it('not of what a function returns to a notification, which gets no answer', async () => {
      const { site, client } = await open()
      await client.notify('orders.list')
      await client.rpc('orders.pay')
      expect(warnings(site, 'JSON changes')).to.deep.equal([])
      await client.rpc('orders.list')
      expect(warnings(site, 'JSON changes')).to.have.length(1)
    })

    it('not in production', async () => {
      process.env.NODE_ENV = 'production'
      expect(warnings(await sendAll(), 'JSON changes')).to.deep.equal([])
    })
  })

  describe('explains on a socket what developers know of Socket.IO', () => {
    const names = ['on', 'emit', 'join', 'leave', 'to', 'disconnect']

    it('by methods that throw', async () => {
      const { socket } = await open()
      for (const name of names)
        expect(() => Reflect.get(socket, name)?.('chat')).to.throw(TypeError, `no ${name}() here`)
    })

    it('not in production, where nothing takes a socket for an emitter', async () => {
      // One that was made before leaves nothing behind.
      await open()
      process.env.NODE_ENV = 'production'
      const { socket } = await open()
      expect(names.filter((name) => name in socket)).to.deep.equal([])
    })
  })

  describe('says which function was meant by one that is misspelt', () => {
    it('to the client and in one line of the log', async () => {
      const { site, client, socket } = await open()
      const error = await rejection(client.rpc('orders.pya'))
      expect(error).to.include({
        code: 'not_found',
        message: 'Function not found: orders.pya (did you mean orders.pay?)',
      })
      expect(error.data).to.deep.equal({ function: 'orders.pya', didYouMean: 'orders.pay' })
      await rejection(client.rpc('orders.pya'))
      const about = site.log.filter(({ details }) => details.function === 'orders.pya')
      expect(about).to.have.length(1)
      expect(about[0]).to.deep.include({
        level: 'warn',
        message: 'a client called a function that is not there',
      })
      expect(about[0]?.details).to.deep.include({
        sid: socket.sid,
        code: 'not_found',
        didYouMean: 'orders.pay',
      })
    })

    it('also of one that is a route, or was added later', async () => {
      const routes = {
        reports: { yearly: (_request: unknown, response: { json(data: object): void }) => response.json({}) },
      }
      const { site, client } = await open({ routes: routes as never })
      expect((await rejection(client.rpc('reports.yearl'))).message).to.match(
        /did you mean reports\.yearly\?/,
      )
      site.sockets.socketController.later = () => 1
      expect((await rejection(client.rpc('latr'))).message).to.match(/did you mean later\?/)
    })

    it('not to the legacy client, whose error is a text', async () => {
      const { site } = await open()
      const peer = await site.member()
      peer.send({ rpc: 'orders.pya', uuid: '9' })
      await until(() => peer.frames.some((frame) => frame.uuid === '9'))
      const answer = peer.frames.find((frame) => frame.uuid === '9')
      expect(answer).to.deep.include({ error: 'Function not found', code: 'not_found' })
    })

    it('not in production, and never a name that clients cannot call', async () => {
      const { client } = await open({
        socketController: {
          secretOne: {
            get hidden() {
              return () => 1
            },
          },
        } as never,
      })
      expect((await rejection(client.rpc('secretOne.hiden'))).message).to.equal(
        'Function not found: secretOne.hiden',
      )
      process.env.NODE_ENV = 'production'
      const { site, client: other } = await open()
      expect((await rejection(other.rpc('orders.pya'))).message).to.equal('Function not found: orders.pya')
      expect(JSON.stringify(site.log)).not.to.include('orders.pay')
    })
  })

  describe('warns of a history that is read of a channel that keeps nothing', () => {
    const channels = {
      kept: { subscribe: true, history: { ttl: 60_000 } },
      free: { subscribe: true, publish: true },
    }

    it('once for each channel, whether a client or the server reads it', async () => {
      const { site, client } = await open({ channels })
      await client.subscribe('free')
      await client.history('free')
      await client.history('free')
      await site.sockets.history('other')
      const lines = warnings(site, 'a history was read of a channel that keeps nothing')
      expect(lines.map(({ details }) => details.channel)).to.deep.equal(['free', 'other'])
      expect(lines[0]?.details.hint).to.match(/^give the channel a rule with a history, such as channels:/)
    })

    it('not of one that has a rule, or has kept something all the same, and not in production', async () => {
      const { site } = await open({ channels, engine: new MemoryEngine() })
      await site.sockets.history('kept')
      await site.sockets.publish('stored', 1, { store: 60_000 })
      await site.sockets.history('stored')
      process.env.NODE_ENV = 'production'
      const { site: other } = await open({ channels })
      await other.sockets.history('free')
      expect([
        ...warnings(site, 'a history was read'),
        ...warnings(other, 'a history was read'),
      ]).to.deep.equal([])
    })
  })
})
