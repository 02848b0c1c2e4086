import { inspect } from 'node:util'
import { TokenSocket } from '@token-socket/client'
import { defineContract, procedure, type } from '@token-socket/contract'
import { typed } from '@token-socket/contract/client'
import { mockServer } from '@token-socket/contract/mock'
import { expect } from 'chai'
import { rejection } from '../../protocol/rejection.js'

const add = procedure({ input: type<number>(), output: type<number>() })
const contract = defineContract({
  server: { add, deep: { add }, tell: procedure({ input: type<number>() }) },
  client: { ask: add, deep: { note: procedure({}) } },
})

const mocked = () => mockServer(contract, { handlers: { add: (value) => value } })

describe('a client of a contract, used wrongly', () => {
  for (const options of [null, 5, 0, '', 'fast', true, false] as never[])
    it(`gives bad_option for ${JSON.stringify(options)} as the options of a call, at both ends`, async () => {
      const mock = mocked()
      const client = await mock.connect()
      expect((await rejection(client.add(1, options))).code).to.equal('bad_option')
      client.handle({ ask: (value) => value })
      expect((await rejection(mock.client.ask(1, options))).code).to.equal('bad_option')
      expect(await mock.client.ask(1, undefined)).to.equal(1)
      expect(await client.add(1, undefined)).to.equal(1)
      await mock.close()
    })

  it('leaves `null` to the socket itself, where it stands for no callback', async () => {
    const mock = mocked()
    const { $socket } = await mock.connect()
    expect(await $socket.rpc('add', 1, null as never)).to.equal(1)
    for (const wrong of [5, 'fast', true] as never[])
      expect((await rejection($socket.rpc('add', 1, wrong))).code).to.equal('bad_option')
    await mock.close()
  })

  it('is a text, a JSON value and a line of a log without an error, its branches too', async () => {
    const mock = mocked()
    const client = await mock.connect()
    const socket = new TokenSocket({ host: 'http://localhost', lazy: true })
    for (const value of [client, client.deep, mock.client, typed(socket, contract)]) {
      expect(`${value}`).to.equal('[object Client]')
      expect(JSON.stringify(value)).to.equal('"[object Client]"')
      expect(inspect(value, { depth: 9 })).to.be.a('string')
    }
    expect(client).to.not.have.any.keys('then', 'toString', 'constructor')
    expect('then' in client || 'constructor' in client || 'toString' in client).to.equal(false)
    socket.end()
    await mock.close()
  })
})
