import type { ChannelRule, TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import { next, rejection, type Site, until, useSites } from './fixture.js'
import { CARRIERS } from './peer.js'

const HOUR = 3_600_000
const CHANNEL = 'chat-1'

describe('events of channel rules', () => {
  const start = useSites()
  const site = (rule: ChannelRule, more: Partial<TokenSocketServerOptions> = {}): Promise<Site> =>
    start({
      channels: { 'chat-*': { subscribe: true, publish: true, history: { ttl: HOUR }, ...rule } },
      ...more,
    })

  async function ready(own: Site) {
    const client = own.client()
    await client.ready()
    return client
  }

  const kept = async ({ sockets }: Site) =>
    (await sockets.history(CHANNEL)).publications.map(({ event }) => event)

  it('typing is delivered and not stored, without claims that say so', async () => {
    const own = await site({ events: { 'is-typing': { history: false } } })
    const [client, other] = [await ready(own), await ready(own)]
    await other.subscribe(CHANNEL)
    const message = next(other, 'message')
    expect(await client.publish(CHANNEL, 1, { event: 'is-typing' })).to.have.all.keys(['id'])
    expect(await message).to.deep.equal([CHANNEL, 1])
    expect(await client.publish(CHANNEL, 'Hi', { event: 'chat' })).to.include({ offset: 1 })
    expect(await kept(own)).to.deep.equal(['chat'])
  })

  it('the server’s own publications are kept by their event, too', async () => {
    const own = await site({ events: { 'is-typing': { history: false } } })
    for (const options of [
      { event: 'is-typing' },
      { event: 'chat' },
      {},
      { event: 'is-typing', store: HOUR },
    ])
      await own.sockets.publish(CHANNEL, 1, options)
    expect(await kept(own)).to.deep.equal(['chat', undefined, 'is-typing'])
  })

  it('claims that say `store` keep it all the same', async () => {
    const claims = {
      uid: 'jim',
      channels: { [CHANNEL]: { messages: { 'is-typing': { publish: true, store: 60 } } } },
    }
    const own = await site({ events: { 'is-typing': { history: false } } }, { authentication: () => claims })
    await (await ready(own)).publish(CHANNEL, 1, { event: 'is-typing' })
    expect(await kept(own)).to.deep.equal(['is-typing'])
  })

  it('who may publish an event is asked of its entry; the log names rule and event', async () => {
    const own = await site({
      events: {
        notice: { publish: false },
        'admin-*': { publish: () => 'Admins only' },
        odd: { publish: () => Promise.reject(new Error('broken')) },
      },
    })
    const client = await ready(own)
    const codeOf = async (event: string) => (await rejection(client.publish(CHANNEL, 1, { event }))).message
    expect(await client.publish(CHANNEL, 1, { event: 'chat' })).to.include({ offset: 1 })
    expect(await codeOf('notice')).to.match(/^Forbidden/)
    expect(await codeOf('admin-x')).to.equal('Admins only')
    expect(await codeOf('odd')).to.match(/^Forbidden/)
    await until(() => own.log.some(({ details }) => details.rule === 'chat-* "odd"'))
  })

  for (const carrier of CARRIERS)
    it(`a rate refuses what is over it by ${carrier}, and nothing else`, async () => {
      const own = await site({ events: { 'is-typing': { rate: { perSecond: 1 / 60, burst: 3 } } } })
      const peer = await own.member(carrier)
      const publish = (event: string) =>
        peer.ask({ rpc: '_publish', req: { channel: CHANNEL, data: 1, event } })
      const answers = [...Array(5)].map(() => publish('is-typing'))
      const codes = (await Promise.all(answers)).map(({ code }) => code)
      expect(codes).to.deep.equal([undefined, undefined, undefined, 'rate_limited', 'rate_limited'])
      expect((await publish('chat')).code).to.equal(undefined)
    })

  it('tells the client when there is room', async () => {
    const own = await site({ rate: { perSecond: 1 / 60 } })
    const client = await ready(own)
    await client.publish(CHANNEL, 1)
    const { code, data } = await rejection(client.publish(CHANNEL, 2, { event: 'chat' }))
    expect(code).to.equal('rate_limited')
    expect(data).to.include({ field: 'channels.rate', limit: 1 / 60, channel: CHANNEL, event: 'chat' })
    expect((data as { retryAfter: number }).retryAfter).to.be.within(50_000, 60_000)
  })

  it('counts retries with the same key, and not what rules or listeners refuse', async () => {
    const own = await site({
      rate: { perSecond: 1 / 60, burst: 2 },
      events: { no: { publish: false }, slow: { publish: async () => false } },
    })
    own.sockets.on('publish', (_socket, { data }, callback) => callback(undefined, data !== 'veto'))
    const client = await ready(own)
    for (const event of ['no', 'slow', 'no', 'slow'])
      expect((await rejection(client.publish(CHANNEL, 1, { event }))).code).to.equal('forbidden')
    for (let count = 0; count < 3; count += 1)
      expect((await rejection(client.publish(CHANNEL, 'veto'))).code).to.equal('forbidden')
    const first = await client.publish(CHANNEL, 1, { idempotencyKey: 'k' })
    expect(await client.publish(CHANNEL, 1, { idempotencyKey: 'k' })).to.deep.equal(first)
    expect((await rejection(client.publish(CHANNEL, 1, { idempotencyKey: 'k' }))).code).to.equal(
      'rate_limited',
    )
  })

  it('asks no function of a rule for what is over a rate', async () => {
    let asked = 0
    const publish = () => {
      asked += 1
      return true
    }
    const own = await site({ publish, rate: { perSecond: 1 / 60, burst: 2 } })
    const client = await ready(own)
    const answers = await Promise.allSettled([...Array(10)].map(() => client.publish(CHANNEL, 1)))
    expect(answers.filter(({ status }) => status === 'fulfilled')).to.have.length(2)
    expect(asked).to.equal(2)
  })
})

describe('presets of limits', () => {
  const start = useSites()
  const call = (rpc: string, at: number) => ({ rpc, req: at, uuid: `${rpc}-${at}` })

  for (const [preset, burst] of [
    ['sandbox', 10],
    ['preview', 50],
  ] as const) {
    it(`${preset} lets a socket send ${burst} messages at once`, async () => {
      const site = await start({ limits: preset })
      const peer = await site.member()
      const sent = burst + 20
      peer.send(...[...Array(sent).keys()].map((at) => call('echo', at)))
      const answers = await Promise.all(
        [...Array(sent).keys()].map((at) => peer.find(({ uuid }) => uuid === `echo-${at}`)),
      )
      const passed = answers.filter(({ code }) => code === undefined).length
      expect(passed).to.be.within(burst - 2, burst + 19)
      expect(answers.at(-1)).to.include({ code: 'rate_limited' })
    })

    it(`${preset} lets ${burst} calls of a socket run at once`, async () => {
      const more = { messagesPerSecond: 1e6, userMessagesPerSecond: 1e6 }
      const site = await start({
        limits: { preset, ...more },
        socketController: { hang: (_auth, _data, _callback) => undefined, echo: (_auth, data) => data },
      })
      const peer = await site.member()
      peer.send(...[...Array(burst).keys()].map((at) => call('hang', at)))
      expect(await peer.ask(call('echo', 0))).to.include({ code: 'too_many_calls' })
    })
  }
})
