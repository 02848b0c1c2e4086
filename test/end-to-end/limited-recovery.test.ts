import type { TokenSocket } from '@token-socket/client'
import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import { next, type Site, until, useSites } from './fixture.js'

/** Clients whose claims give them no history: they get what they miss while they are away, and nothing else. */
describe('recovery of a client that may not read the history', () => {
  const start = useSites()
  let site: Site
  let client: TokenSocket
  let heard: unknown[]
  let events: unknown[]

  const channels = { '*': { subscribe: true } }
  const publish = (data: unknown) => site.sockets.publish('room', data)

  beforeEach(async () => {
    site = await start({
      engine: new MemoryEngine(),
      authentication: ({ query }: { query: Record<string, unknown> }) => ({
        uid: query.uid ?? 'ann',
        channels,
      }),
      channels: { room: { history: { size: 100, ttl: 60_000 } } },
    })
    client = await site.ready()
    heard = []
    events = []
    client.on('message', (_channel, data) => heard.push(data))
    client.on('recovered', (channel) => events.push(['recovered', channel]))
    client.on('gap', (channel, reason) => events.push([reason, channel]))
  })

  /** Loses the connection, and publishes while it is away. */
  const miss = async (...data: readonly unknown[]) => {
    const gone = next(client, 'disconnect')
    for (const socket of site.sockets.sockets()) socket.end()
    await gone
    for (const one of data) await publish(one)
  }

  it('gives what was missed, time after time', async () => {
    await publish('before')
    await client.subscribe('room')
    await publish('here')
    for (let round = 1; round <= 3; round += 1) {
      await miss(`missed ${round}`, `missed again ${round}`)
      await until(() => events.length === round)
      await publish(`here ${round}`)
    }
    await until(() => heard.at(-1) === 'here 3')
    const rounds = [1, 2, 3].flatMap((round) => [`missed ${round}`, `missed again ${round}`, `here ${round}`])
    expect(heard).to.deep.equal(['here', ...rounds])
    expect(events).to.deep.equal(Array.from({ length: 3 }, () => ['recovered', 'room']))
  })

  for (const [when, first] of [
    ['the first publication comes while it is away', false],
    ['the first publication has come while it was there', true],
  ] as const) {
    it(`gives what was missed on a channel that had kept nothing, where ${when}`, async () => {
      await client.subscribe('room')
      if (first) {
        await publish('first')
        await until(() => heard.length === 1)
      }
      await miss('missed')
      await until(() => heard.includes('missed'))
      expect(heard).to.deep.equal(first ? ['first', 'missed'] : ['missed'])
      expect(events).to.deep.equal([['recovered', 'room']])
    })
  }

  it('tells a gap to one whose proof is another user’s, of a later position, changed, or missing', async () => {
    const [ann, ben] = await Promise.all(
      ['ann', 'ben'].map(async (uid) => {
        const peer = await site.peer()
        const { token } = (await (await site.askToken({}, `?uid=${uid}`)).json()) as { token: string }
        await peer.ask({ rpc: 'auth', token, version: 1 })
        return peer
      }),
    )
    if (!ann || !ben) throw new Error('there are two')
    await publish('before')
    const subscribe = async (peer: typeof ann, more: object = {}) => {
      const since = peer.frames.length
      await peer.ask({ rpc: '_subscribe', req: { channel: 'room', ...more } })
      const notice = peer.frames.slice(since).find(({ command }) => command === 'subscribe')
      return notice?.data as { epoch: string; offset: number; proof: string }
    }
    const { channel: _, ...at } = (await subscribe(ann)) as { channel?: string } & Awaited<
      ReturnType<typeof subscribe>
    >
    await publish('after')
    for (const [peer, from] of [
      [ben, at],
      [ann, { ...at, offset: 0 }],
      [ann, { ...at, proof: `${at.proof.slice(0, -1)}x` }],
      [ann, { epoch: at.epoch, offset: at.offset }],
    ] as const) {
      const told = await subscribe(peer, from)
      expect(told).to.include({ recovered: false, reason: 'forbidden', offset: 2 })
    }
    expect(await subscribe(ann, at)).to.include({ recovered: true, offset: 1 })
    const texts = (peer: typeof ann) => peer.frames.flatMap(({ message }) => message ?? [])
    expect(texts(ann)).to.deep.equal(['after', 'after'])
    expect(texts(ben)).to.deep.equal([])
    const long = await ann.ask({ rpc: '_subscribe', req: { channel: 'room', ...at, proof: 'x'.repeat(257) } })
    expect(long.code).to.equal('too_long')
  })

  it('gives no proof to a legacy client, nor to one that may read all', async () => {
    const proofs = async (query: string, version?: number) => {
      const peer = await site.peer()
      const { token } = (await (await site.askToken({}, query)).json()) as { token: string }
      await peer.ask({ rpc: 'auth', token, ...(version && { version }) })
      await peer.ask({ rpc: '_subscribe', req: { channel: 'room' } })
      return peer.frames.filter(({ data }) => 'proof' in Object(data)).length
    }
    await publish('kept')
    expect(await proofs('', 1)).to.equal(1)
    expect(await proofs('')).to.equal(0)
    Object.assign(channels['*'], { historyStart: 0 })
    expect(await proofs('', 1)).to.equal(0)
    Reflect.deleteProperty(channels['*'], 'historyStart')
  })
})
