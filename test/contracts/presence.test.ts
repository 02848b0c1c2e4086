/** Members of the channels of a contract: what a mock makes of them, and the rules that a server needs. */
import { defineContract, type } from '@token-socket/contract'
import { connect } from '@token-socket/contract/client'
import { mockServer } from '@token-socket/contract/mock'
import { implement, typed } from '@token-socket/contract/server'
import type { RpcError } from '@token-socket/protocol'
import type { ChannelRuleTable } from '@token-socket/server'
import { expect } from 'chai'
import { z } from 'zod'
import { until } from '../client/waiting.js'
import { useSites } from '../end-to-end/fixture.js'

const contract = defineContract({
  channels: {
    'room-{id}': { events: { say: z.string() }, presence: z.object({ name: z.string().min(1) }) },
    'team-{id}': { events: { say: z.string() }, presence: z.object({ level: z.int().min(3).max(5) }) },
    news: { events: { item: z.string() } },
  },
})

describe('the presence of a mock', () => {
  const mock = mockServer(contract)
  const errors: RpcError[] = []
  after(() => mock.close())

  for (const where of ['in memory', 'on a port']) {
    it(`is made from the schemas of all channels ${where}, another for each user`, async () => {
      const { url = '' } = where === 'on a port' ? await mock.listen() : {}
      const open = () => (url ? connect(contract, { url, logLevel: 'none' }) : mock.connect())
      const clients = [await open(), await open()]
      const seen: unknown[] = []
      for (const client of clients) {
        client.$onError((error) => errors.push(error))
        for (const room of [
          client.channel('room-{id}', { id: where }),
          client.channel('team-{id}', { id: 1 }),
        ]) {
          room.bind('say', () => {})
          await until(() => room.members.some(({ uid }) => uid === room.uid))
          seen.push(room.members.find(({ uid }) => uid === room.uid)?.umd)
        }
      }
      expect(errors).to.deep.equal([])
      expect(seen).to.have.length(4)
      expect(seen[0]).not.to.deep.equal(seen[2])
      await Promise.all(clients.map((client) => client.$socket.end()))
    })
  }

  it('is what the test says, where it says something', async () => {
    const client = await mock.connect({ umd: { name: 'Ann', level: 3 } })
    expect(client.$socket.umd).to.deep.equal({ name: 'Ann', level: 3 })
    const { url } = await mock.listen({ auth: { uid: 'ann', umd: { name: 'Ann' } } })
    const other = await connect(contract, { url, logLevel: 'none' })
    expect([other.$socket.uid, other.$socket.umd]).to.deep.equal(['ann', { name: 'Ann' }])
  })

  it('is left out where no data can be made', async () => {
    const loose = mockServer(
      defineContract({ channels: { room: { events: {}, presence: type<{ a: number }>() } } }),
    )
    const client = await loose.connect()
    expect(client.$socket.umd).to.equal(undefined)
    await loose.close()
  })
})

describe('the presence of a contract on a server', () => {
  const start = useSites()
  const rows: readonly (readonly [
    what: string,
    rules: ChannelRuleTable | undefined,
    warned: readonly string[],
  ])[] = [
    ['no rules', undefined, ['room-{id}', 'team-{id}']],
    ['rules without presence', { '*': { subscribe: true } }, ['room-{id}', 'team-{id}']],
    ['a rule for one pattern', { 'room-*': { presence: true } }, ['team-{id}']],
    ['rules by functions', { '*': { presence: () => true } }, []],
    ['a rule that refuses', { '*': { presence: true }, 'team-*': { presence: false } }, ['team-{id}']],
  ]
  for (const [what, channels, warned] of rows) {
    it(`is warned of, once, with ${what}`, async () => {
      const site = await start({ socketController: implement(contract, {}), ...(channels && { channels }) })
      for (let time = 0; time < 2; time += 1) typed(site.sockets, contract)
      const lines = site.log.filter(({ message }) => message?.includes('a contract describes the presence'))
      expect(lines.map(({ details }) => details.channel)).to.deep.equal(warned)
      for (const { details } of lines) expect(details.hint).to.include('presence: true')
    })
  }
})
