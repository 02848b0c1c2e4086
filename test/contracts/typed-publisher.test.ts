import { defineContract } from '@token-socket/contract'
import { typed } from '@token-socket/contract/server'
import { type Engine, MemoryEngine, type Publisher, publisher } from '@token-socket/server'
import { expect } from 'chai'
import { z } from 'zod'
import { rejection } from '../protocol/rejection.js'

const contract = defineContract({
  channels: { 'room-{id}': { events: { say: z.object({ text: z.string().trim() }) } } },
})

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/** An engine of one process that says it was shared. */
function sharedEngine(): Engine {
  const { broker, history, presence, tickets, nodes, close } = new MemoryEngine()
  return {
    name: 'test',
    shared: true,
    broker,
    history,
    presence,
    tickets,
    nodes,
    close: async () => void close,
  }
}

describe('typed, of a publisher', () => {
  let engine: Engine
  let plain: Publisher

  beforeEach(() => {
    engine = sharedEngine()
    plain = publisher({ engine, logger: SILENT, channels: { 'room-*': { history: { ttl: 60_000 } } } })
  })
  afterEach(() => plain.close())

  it('publishes on the channel, as it was given', async () => {
    const { publish, channel } = typed(plain, contract)
    const receipt = await publish('room-{id}', { id: 'a/b' }, 'say', { text: ' x ' }, { idempotencyKey: 'k' })
    expect(receipt.offset).to.equal(1)
    expect(channel('room-{id}', { id: 'a/b' })).to.equal('room-a%2Fb')
    const { publications } = await plain.history('room-a%2Fb')
    expect(publications.map(({ event, json }) => [event, json])).to.deep.equal([['say', '{"text":" x "}']])
  })

  it('refuses what the contract does not have, before anything is published', async () => {
    const own = typed(plain, contract, { checkSent: true })
    const loose = own.publish as (...args: unknown[]) => Promise<unknown>
    const rows = [
      ['invalid_input', ['room-{id}', { id: 1 }, 'say', { text: 5 }]],
      ['bad_message', ['room-{id}', { id: 1 }, 'shout', { text: 'x' }]],
      ['bad_message', ['room-{id}', {}, 'say', { text: 'x' }]],
      ['bad_message', ['none', {}, 'say', { text: 'x' }]],
    ] as const
    for (const [code, args] of rows) expect(await rejection(loose(...args))).to.have.property('code', code)
    expect((await plain.history('room-1')).publications).to.deep.equal([])
    await typed(plain, contract, { checkSent: false }).publish('room-{id}', { id: 1 }, 'say', {
      text: 5,
    } as never)
  })

  it('reads members, and calls no client', async () => {
    const own = typed(plain, contract)
    expect(await own.members('room-{id}', { id: 1 })).to.deep.equal([])
    expect(own).to.have.all.keys('publish', 'members', 'channel')
    // @ts-expect-error a process without a server has no sockets
    expect(own.rpc).to.equal(undefined)
  })

  it('fails with `shutting_down` after `close`', async () => {
    await plain.close()
    const error = await rejection(
      typed(plain, contract).publish('room-{id}', { id: 1 }, 'say', { text: 'x' }),
    )
    expect(error).to.have.property('code', 'shutting_down')
  })

  it('is refused of what is neither a server nor a publisher', () => {
    for (const given of [undefined, {}, contract])
      expect(() => typed(given as never, contract)).to.throw('server has to be a server or a publisher')
  })
})
