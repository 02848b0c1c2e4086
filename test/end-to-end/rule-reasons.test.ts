import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { rejection, until, useSites } from './fixture.js'

const soldOut = () => new RpcError('sold_out', 'Sold out', { left: 0 })

/** What a rule's function does, and what the client gets. */
const REASONS: Readonly<Record<string, readonly [answer: () => unknown, error: object]>> = {
  'returns a text': [
    () => 'Members only',
    { code: 'forbidden', message: 'Members only', data: { channel: 'c' } },
  ],
  'returns an RpcError': [soldOut, { code: 'sold_out', message: 'Sold out', data: { left: 0 } }],
  'throws an RpcError': [
    () => {
      throw soldOut()
    },
    { code: 'sold_out', message: 'Sold out', data: { left: 0 } },
  ],
  'rejects with an RpcError': [
    async () => Promise.reject(soldOut()),
    { code: 'sold_out', message: 'Sold out' },
  ],
  'returns false': [() => false, { code: 'forbidden', message: 'Forbidden: c' }],
  'throws another error': [
    () => {
      throw new Error('a secret')
    },
    { code: 'forbidden', message: 'Forbidden: c' },
  ],
  'never resolves': [() => new Promise(() => {}), { code: 'veto_timeout' }],
}

describe('the reason of a channel rule’s function', () => {
  const start = useSites()

  for (const [what, [answer, error]] of Object.entries(REASONS)) {
    it(`reaches subscribe, publish and history: ${what}`, async () => {
      const site = await start({
        authentication: () => ({ channels: { c: { historyStart: 0 } } }),
        channels: { c: { subscribe: answer as never, publish: answer as never } },
        limits: { vetoTimeout: 20 },
      })
      const client = await site.ready()
      for (const ask of [client.subscribe('c'), client.publish('c', 1), client.history('c')])
        expect(await rejection(ask)).to.deep.include(error)
    })
  }

  it('of an automatic subscription stands in the log', async () => {
    const site = await start({
      authentication: () => ({ channels: { c: { autoSubscribe: true } } }),
      channels: { c: { subscribe: () => 'Members only' } },
    })
    await site.ready()
    const refused = () => site.log.find(({ message }) => message.includes('automatic subscription'))
    await until(() => refused() !== undefined)
    expect(refused()?.details).to.include({ code: 'forbidden', reason: 'Members only', channel: 'c' })
  })

  it('about presence refuses nothing, and is no failure', async () => {
    for (const answer of [() => 'Members only', () => soldOut(), async () => Promise.reject(soldOut())]) {
      const site = await start({
        authentication: () => ({ uid: 'ann' }),
        channels: { c: { subscribe: true, presence: answer as never } },
      })
      const client = await site.ready()
      await client.subscribe('c')
      expect(await site.sockets.members('c')).to.deep.equal([])
      expect(site.failures).to.deep.equal([])
    }
  })

  it('is missing when it takes too long: a warning names the rule and the channel', async () => {
    const site = await start({
      channels: { 'chat-*': { subscribe: () => new Promise(() => {}) } },
      limits: { vetoTimeout: 20 },
    })
    const { client, socket } = await site.pair()
    await rejection(client.subscribe('chat-7'))
    await rejection(client.subscribe('chat-8'))
    const lines = site.log.filter(({ message }) => message.includes('a function of a channel rule'))
    expect(lines).to.have.length(1)
    expect(lines[0]).to.deep.include({
      level: 'warn',
      details: { rule: 'chat-*', channel: 'chat-7', sid: socket.sid },
    })
  })
})
