import { expect } from 'chai'
import { until, useSites } from './fixture.js'

describe('a broadcast of a client', () => {
  const start = useSites()

  for (const listener of ['no listener', 'a `publish` listener']) {
    it(`stays in order with its publications on every channel, with ${listener}`, async () => {
      const site = await start()
      if (listener !== 'no listener') {
        site.sockets.on('publish', async () => {
          await new Promise(setImmediate)
          return true
        })
        site.sockets.on('broadcast', () => true)
      }
      const client = await site.ready()
      await Promise.all([client.subscribe('a'), client.subscribe('b')])
      const got: Record<string, unknown[]> = { a: [], b: [] }
      client.onmessage((channel: string, message: unknown) => got[channel]?.push(message))
      const publish = (number: number) => {
        for (const channel of ['a', 'b']) client.publish(channel, number)
      }
      for (const number of [1, 2, 3]) publish(number)
      client.broadcast(4)
      client.broadcast(5)
      for (const number of [6, 7]) publish(number)
      await until(() => got.a?.length === 7 && got.b?.length === 7)
      expect(got).to.deep.equal({ a: [1, 2, 3, 4, 5, 6, 7], b: [1, 2, 3, 4, 5, 6, 7] })
    })
  }
})
