import { expect } from 'chai'
import { rejection, until, useSites } from './fixture.js'

const ANN = { uid: 'ann', channels: { '*': { subscribe: true } } }

describe('the option `channelsAsObject`', () => {
  const start = useSites()

  it('changes nothing of what a new authorisation takes away', async () => {
    const site = await start({ channelsAsObject: true, authentication: () => ANN })
    const { client, socket } = await site.pair()
    await Promise.all([client.subscribe('a'), client.subscribe('b')])
    await site.sockets.cluster.reauthorize({ uid: 'ann' }, { ...ANN, channels: { b: { subscribe: true } } })
    expect(Object.keys(socket.channels)).to.deep.equal(['b'])
  })

  it('changes nothing of how many channels a socket may have', async () => {
    const limits = { subscriptions: 1 }
    const site = await start({ channelsAsObject: true, authentication: () => ANN, limits })
    const client = await site.ready()
    await client.subscribe('a')
    expect(await rejection(client.subscribe('b'))).to.include({ code: 'too_many_subscriptions' })
  })

  it('changes nothing of how many a user may have, also when sockets have ended', async () => {
    const limits = { subscriptionsPerUser: 3 }
    const site = await start({ channelsAsObject: true, authentication: () => ANN, limits })
    for (const _ of [1, 2]) {
      const [one, other] = [await site.ready(), await site.ready()]
      await Promise.all(['a', 'b', 'c'].map((channel) => one.subscribe(channel)))
      expect(await rejection(other.subscribe('a'))).to.include({ code: 'too_many_subscriptions' })
      await Promise.all([one.end(), other.end()])
      await until(() => site.sockets.sockets().length === 0)
    }
  })
})
