import type { TokenSocket } from '@token-socket/client'
import type { TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import { onOneNodeOnly } from '../only-in.js'
import { next, rejection, Site } from './fixture.js'

const KEPT: TokenSocketServerOptions['channels'] = {
  'kept-*': { subscribe: true, publish: true, history: { size: 50, ttl: 60_000 } },
  'loose-*': { subscribe: true, publish: true },
}

describe('a channel that keeps its publications', () => {
  let site: Site

  const start = async (options: Partial<TokenSocketServerOptions> = {}) => {
    site = await Site.start({ channels: KEPT, ...options })
  }

  afterEach(() => site.stop())

  const dataOf = (page: readonly { data: unknown }[]) => page.map(({ data }) => data)

  it('acknowledges each with its id and place', async () => {
    await start()
    const client = await site.ready()
    const first = await client.publish('kept-a', 1)
    const second = await client.publish('kept-a', 2, { event: 'e' })
    expect(first?.offset).to.equal(1)
    expect(second).to.deep.equal({ id: second?.id, epoch: first?.epoch, offset: 2 })
    expect((second?.id ?? '') > (first?.id ?? '')).to.equal(true)
    expect(await client.publish('loose-a', 1)).to.have.all.keys(['id'])
  })

  it('gives subscribers its id, event, time and place, and who made it', async () => {
    await start({ authentication: async () => ({ uid: 'ann', umd: { name: 'Ann' } }) })
    const client = await site.ready()
    await client.subscribe('kept-a')
    const details = new Promise((resolve) => client.onmessage((_channel, _data, more) => resolve(more)))
    const before = Date.now()
    const receipt = await client.publish('kept-a', { text: 'hi' }, { event: 'chat' })
    const { time, ...rest } = (await details) as { time: number }
    expect(rest).to.deep.equal({
      ...receipt,
      channel: 'kept-a',
      data: { text: 'hi' },
      event: 'chat',
      meta: { uid: 'ann', umd: { name: 'Ann' } },
    })
    expect(time).to.be.within(before, Date.now())
  })

  it('makes a publication with the same key once', async () => {
    await start()
    const client = await site.ready()
    const one = await client.publish('kept-a', 'once', { idempotencyKey: 'k' })
    const two = await client.publish('kept-a', 'once', { idempotencyKey: 'k' })
    expect(two).to.deep.equal(one)
    await site.sockets.publish('kept-a', 'twice', { idempotencyKey: 'k2' })
    await site.sockets.publish('kept-a', 'twice', { idempotencyKey: 'k2' })
    await client.subscribe('kept-a')
    expect(dataOf(await client.history('kept-a'))).to.deep.equal(['once', 'twice'])
  })

  describe('#history', () => {
    let client: TokenSocket
    let ids: string[]

    beforeEach(async () => {
      await start()
      client = await site.ready()
      await client.subscribe('kept-a')
      ids = []
      for (let n = 1; n <= 10; n += 1) ids.push((await site.sockets.publish('kept-a', n)).id)
    })

    it('gives the oldest first, or the latest', async () => {
      expect(dataOf(await client.history('kept-a', { limit: 3 }))).to.deep.equal([1, 2, 3])
      expect(dataOf(await client.history('kept-a', { limit: 3, reverse: true }))).to.deep.equal([10, 9, 8])
    })

    it('gives what is between two ids, page by page', async () => {
      const [, second = '', , , , , , , ninth = ''] = ids
      expect(dataOf(await client.history('kept-a', { after: second, before: ninth }))).to.deep.equal([
        3, 4, 5, 6, 7, 8,
      ])
      const seen: unknown[] = []
      for (let after: string | undefined; ; ) {
        const page = await client.history('kept-a', { limit: 4, after })
        seen.push(...dataOf(page))
        if (page.length < 4) break
        after = page.at(-1)?.id
      }
      expect(seen).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    })

    it('gives each with its time', async () => {
      const [first] = await client.history('kept-a', { limit: 1 })
      expect(first?.time).to.be.within(Date.now() - 60_000, Date.now())
    })

    it('is the same on the server', async () => {
      const { publications, position } = await site.sockets.history('kept-a', { limit: 2, reverse: true })
      expect(publications.map(({ json }) => json)).to.deep.equal(['10', '9'])
      expect(position?.offset).to.equal(10)
    })

    it('keeps no more than its rule says', async () => {
      for (let n = 11; n <= 60; n += 1) await site.sockets.publish('kept-a', n)
      const page = await client.history('kept-a')
      expect(dataOf(page)).to.deep.equal(Array.from({ length: 50 }, (_, index) => index + 11))
    })

    it('is refused to who is not subscribed', async () => {
      expect(await rejection(client.history('kept-b'))).to.have.property('code', 'forbidden')
    })

    for (const [query, field] of [
      [{ after: 'not an id' }, 'req.after'],
      [{ before: '01HP8BGSHWY952BXW1PE25DSJ' }, 'req.before'],
      [{ limit: 0 }, 'req.limit'],
      [{ limit: 1.5 }, 'req.limit'],
      [{ reverse: 'yes' as never }, 'req.reverse'],
    ] as const) {
      it(`refuses ${JSON.stringify(query)}`, async () => {
        const error = await rejection(client.history('kept-a', query))
        expect([error.code, (error.data as { field: string }).field]).to.deep.equal(['bad_message', field])
      })
    }

    it('refuses more than 100 at once', async () => {
      const error = await rejection(client.history('kept-a', { limit: 101 }))
      expect([error.code, error.data]).to.deep.equal(['too_long', { field: 'req.limit', limit: 100 }])
    })
  })

  describe('claims', () => {
    const claims = {
      uid: 'jim',
      channels: {
        'chat-1': {
          subscribe: true,
          historyStart: 0,
          messages: {
            chat: { publish: true, echo: true, store: 86_400 },
            'is-typing': { publish: true },
          },
        },
      },
    }

    onOneNodeOnly('the publication may come after its receipt').it(
      'keep what they say is stored, echo what they say is echoed, and refuse the rest',
      async () => {
        await start({ channels: {}, authentication: async () => claims })
        const client = await site.ready()
        const other = await site.ready()
        await Promise.all([client.subscribe('chat-1'), other.subscribe('chat-1')])
        const seen: unknown[] = []
        client.onmessage((_channel, data) => seen.push(data))
        const typing = next(other, 'message')
        expect(await client.publish('chat-1', 'typing', { event: 'is-typing' })).to.have.all.keys(['id'])
        expect(await typing).to.deep.equal(['chat-1', 'typing'])
        const said = await client.publish('chat-1', 'hello', { event: 'chat' })
        expect(said?.offset).to.equal(1)
        expect(seen).to.deep.equal(['hello'])
        expect(dataOf(await client.history('chat-1'))).to.deep.equal(['hello'])
        for (const refused of [
          client.publish('chat-1', 'x', { event: 'other' }),
          client.publish('chat-1', 'x'),
          client.publish('chat-2', 'x', { event: 'chat' }),
          client.subscribe('chat-2'),
          client.history('chat-2'),
          client.broadcast('x'),
        ]) {
          expect(await rejection(refused as Promise<unknown>)).to.have.property('code', 'forbidden')
        }
      },
    )

    it('say from when on the history may be read', async () => {
      let historyStart = 0
      await start({
        channels: KEPT,
        authentication: async () => ({
          uid: 'jim',
          channels: { 'kept-a': { subscribe: true, historyStart } },
        }),
      })
      await site.sockets.publish('kept-a', 'old')
      historyStart = Math.ceil(Date.now() / 1000) + 1
      const late = await site.ready()
      expect(dataOf(await late.history('kept-a'))).to.deep.equal([])
      historyStart = 0
      const early = await site.ready()
      expect(dataOf(await early.history('kept-a'))).to.deep.equal(['old'])
    })

    for (const [title, wrong] of [
      ['a pattern that is none', { channels: { '#regex:(': {} } }],
      ['a umd that is too large', { uid: 'a', umd: 'x'.repeat(5000) }],
      ['a uid that is no text', { uid: 5, channels: {} }],
    ] as const) {
      it(`refuse the token for ${title}`, async () => {
        await start({ channels: {}, authentication: async () => wrong as never })
        const client = site.client({ reconnect: false })
        const error = await rejection(client.ready())
        expect(error.code).to.equal('token_failed')
        expect(site.log.some(({ level }) => level === 'error')).to.equal(true)
      })
    }

    it('with a regular expression that would take for ever are looked up at once', async () => {
      await start({
        channels: {},
        authentication: async () => ({ channels: { '#regex:^(a+)+$': { subscribe: true } } }),
      })
      const client = await site.ready()
      await client.subscribe('a'.repeat(200))
      const error = await rejection(client.subscribe(`${'a'.repeat(200)}b`))
      expect(error.code).to.equal('forbidden')
    })
  })

  it('refuses data over 32 KiB and names over their limit, and harms nobody', async () => {
    await start({ channels: {} })
    const client = await site.ready()
    const error = await rejection(client.publish('c', 'x'.repeat(32_768)))
    expect([error.code, error.data]).to.deep.equal(['too_large', { field: 'req.data', limit: 32_768 }])
    expect(await client.publish('c', 'x'.repeat(32_766))).to.have.property('id')
    for (const [options, field] of [
      [{ event: 'e'.repeat(129) }, 'req.event'],
      [{ idempotencyKey: 'k'.repeat(129) }, 'req.key'],
    ] as const) {
      const long = await rejection(client.publish('c', 1, options))
      expect([long.code, long.data]).to.deep.equal(['too_long', { field, limit: 128 }])
    }
    await site.servesHonestClients()
  })
})
