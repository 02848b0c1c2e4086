import { defineContract, procedure } from '@token-socket/contract'
import { typed } from '@token-socket/contract/server'
import { RedisEngine } from '@token-socket/redis'
import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { z } from 'zod'
import { next, Site, until } from '../end-to-end/fixture.js'
import { rejection } from '../protocol/rejection.js'
import { RedisProcess } from './redis-process.js'

/** What the tests do to Redis and to nodes is no news. */
const QUIET = { info: () => {}, warn: () => {} }

const contract = defineContract({
  client: {
    confirm: procedure({
      input: z.string(),
      output: z.boolean(),
      errors: { busy: z.object({ until: z.coerce.date() }) },
    }),
    say: procedure({ input: z.string() }),
  },
  channels: { 'room-{id}': { events: { say: z.string() } } },
})

describe('the server of a contract, on two nodes', function () {
  this.timeout(120_000)
  let redis: RedisProcess
  let here: Site
  let there: Site

  before(async () => {
    redis = await RedisProcess.start()
    const start = async () => {
      const engine = new RedisEngine({ url: redis.url, logger: QUIET })
      await engine.ready()
      return Site.start({ engine, secret: 'of the tests, 32 bytes long or more' })
    }
    here = await start()
    there = await start()
  })

  after(async () => {
    await Promise.all([here, there].map((site) => site?.stop()))
    await redis.stop()
  })

  it('calls, and sends messages to, a socket of the other node by its sid', async () => {
    const own = typed(here.sockets, contract)
    const said: unknown[] = []
    const { socket } = await there.pair(
      {},
      { confirm: (text: unknown) => text === 'yes', say: (text: unknown) => void said.push(text) },
    )
    expect(await own.rpc(socket.sid, 'confirm', 'yes')).to.equal(true)
    expect((await rejection(own.rpc(socket.sid, 'confirm', 5 as never)))?.code).to.equal('invalid_input')
    await own.notify(socket.sid, 'say', 'hello')
    await until(() => said.length)
    expect(said).to.deep.equal(['hello'])
  })

  it('gets declared errors, and wrong answers, of the other node', async () => {
    const own = typed(here.sockets, contract)
    const confirm = async () => {
      throw new RpcError('busy', 'Busy', { until: 0 })
    }
    const { socket } = await there.pair({}, { confirm })
    const error = await rejection(own.rpc(socket.sid, 'confirm', 'x'))
    expect([error?.code, error?.data]).to.deep.equal(['busy', { until: new Date(0) }])
    const { socket: wrong } = await there.pair({}, { confirm: () => 'no boolean' })
    expect((await rejection(own.rpc(wrong.sid, 'confirm', 'x')))?.code).to.equal('invalid_output')
  })

  it('publishes to the sockets of both', async () => {
    const own = typed(here.sockets, contract)
    const clients = [await here.ready(), await there.ready()]
    for (const client of clients) await client.subscribe('room-7')
    const heard = Promise.all(clients.map((client) => next(client, 'message')))
    await own.publish('room-{id}', { id: 7 }, 'say', 'hello')
    expect(await heard).to.deep.equal([
      ['room-7', 'hello'],
      ['room-7', 'hello'],
    ])
  })
})
