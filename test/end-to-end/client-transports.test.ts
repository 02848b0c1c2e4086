import { expect } from 'chai'
import { restoreGlobals, setGlobal } from '../client/globals.js'
import { WAYS } from './client-ways.js'
import { next, until, useSites } from './fixture.js'

describe('the client in Node', () => {
  const start = useSites()

  // It loads SockJS itself, though other tests of the process may have set one.
  beforeEach(() => setGlobal('SockJS', undefined))

  afterEach(restoreGlobals)

  for (const [title, transport, options] of WAYS) {
    it(`works over ${title}, and comes back`, async () => {
      const site = await start()
      const { client, socket } = await site.pair(options, { double: (data: number) => data * 2 })
      expect([client.transport, socket.transport]).to.deep.equal([transport, transport])
      expect(await client.rpc('echo', { text: 'ä\u2028\n"😀' })).to.deep.equal({ text: 'ä\u2028\n"😀' })
      expect(await socket.rpc('double', 21)).to.equal(42)
      await client.subscribe('news')
      const back = next(client, 'reconnect')
      socket.end()
      expect(await back, 'no error').to.deep.equal([])
      await until(() => site.sockets.channelSockets('news').length === 1)
      const message = next(client, 'message')
      await client.publish('news', { b: 2 })
      expect(await message).to.deep.equal(['news', { b: 2 }])
    })
  }
})
