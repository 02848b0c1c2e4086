/** The order of what a server of a contract sends, where its schemas are asynchronous. */

import { defineContract, procedure } from '@token-socket/contract'
import { typed as typedClient } from '@token-socket/contract/client'
import { implement, typed } from '@token-socket/contract/server'
import { expect } from 'chai'
import { z } from 'zod'
import { turn, until, useSites } from './fixture.js'

/** Zero takes three turns of the event loop, every other number none. */
const slow = z.number().refine(async (value) => {
  if (value === 0) for (let left = 3; left > 0; left -= 1) await turn()
  return true
})

const contract = defineContract({
  server: {
    go: procedure({ output: slow }),
    slow: procedure({ input: slow }),
    fast: procedure({ input: z.number() }),
  },
  client: {
    slow: procedure({ input: slow }),
    fast: procedure({ input: z.number() }),
    ask: procedure({ input: slow, output: z.number() }),
    back: procedure({ output: z.number() }),
  },
  channels: { lobby: { events: { slow, fast: z.number() } } },
})

describe('the order of a contract', () => {
  const start = useSites()

  for (const checkSent of [true, false]) {
    it(`is that of the server's calls, whether they name a socket or its sid; \`checkSent\`: ${checkSent}`, async () => {
      const site = await start({
        socketController: implement(
          contract,
          {
            go(_input, { client }) {
              client.slow(0)
              client.fast(1)
              return 2
            },
            slow() {},
            fast() {},
          },
          { checkSent },
        ),
      })
      const own = typed(site.sockets, contract, { checkSent })
      const socket = await site.ready()
      const client = typedClient(socket, contract, { checkSent })
      const heard: number[] = []
      client.onSlow((value) => heard.push(value))
      client.onFast((value) => heard.push(value))
      client.handle({ ask: (value) => heard.push(value) })
      heard.push(await client.go())
      expect(heard).to.deep.equal([0, 1, 2])
      const [there] = site.sockets.sockets()
      if (!there) throw new Error('no socket')
      heard.length = 0
      own.notify(there, 'slow', 0)
      own.rpc(there.sid, 'ask', 1)
      own.client(there).fast(2)
      own.notify(there.sid, 'fast', 3)
      await until(() => heard.length === 4)
      expect(heard).to.deep.equal([0, 1, 2, 3])
    })

    it(`is that of the server's publications; \`checkSent\`: ${checkSent}`, async () => {
      const site = await start({})
      const own = typed(site.sockets, contract, { checkSent })
      const room = typedClient(await site.ready(), contract, { checkSent }).channel('lobby')
      const heard: number[] = []
      room.bind('slow', ({ data }) => heard.push(data))
      room.bind('fast', ({ data }) => heard.push(data))
      await until(() => site.sockets.sockets()[0]?.channels.includes('lobby') === true)
      own.publish('lobby', {}, 'slow', 0)
      own.publish('lobby', {}, 'slow', 1)
      own.publish('lobby', {}, 'fast', 2)
      await until(() => heard.length === 3)
      expect(heard).to.deep.equal([0, 1, 2])
    })
  }

  it("puts a client's answer after what its function sent, on the wire", async () => {
    const site = await start({
      socketController: implement(contract, { go: () => 0, slow() {}, fast() {} }),
    })
    const socket = await site.ready()
    const client = typedClient(socket, contract, { checkSent: true })
    const wire: string[] = []
    socket.on('frameOut', (text) => wire.push(String(text)))
    client.handle({
      back() {
        client.slow(0)
        client.fast(1)
        return 2
      },
    })
    const [there] = site.sockets.sockets()
    if (there) await typed(site.sockets, contract).rpc(there, 'back')
    const kinds = wire.join('').match(/"rpc":"(slow|fast|_rpc)"/g)
    expect(kinds).to.deep.equal(['"rpc":"slow"', '"rpc":"fast"', '"rpc":"_rpc"'])
  })
})
