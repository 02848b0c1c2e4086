/** A refresh with the token of another user: what the client goes on asking for. */
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { next, until, useSites } from './fixture.js'

const KEY = 'the key of the application, 32 bytes or more'

describe('a refresh with the token of another user', () => {
  const start = useSites()

  it('forgets the channels that only the server had subscribed, and keeps those that the page wants', async () => {
    const site = await start({
      channels: { '*': { subscribe: true } },
      keys: { app: { algorithm: 'HS256', key: KEY } },
    })
    let uid = 'ann'
    const grant = { subscribe: true, autoSubscribe: true }
    const token = () => {
      const channels = Object.fromEntries(
        [`of-${uid}`, `called-${uid}`, 'bound'].map((name) => [name, grant]),
      )
      const called = { 'called-ann': { ...grant, autoSubscribe: uid === 'ann' } }
      return jwt.sign({ scope: 'connect', uid, channels: { ...channels, ...called } }, KEY, {
        keyid: 'app',
        expiresIn: 600,
      })
    }
    const client = site.client({ token })
    await client.ready()
    await until(() => client.channels().length === 3)
    await client.subscribe('called-ann')
    client.channel('bound').bind('event', () => {})
    uid = 'bob'
    const back = next(client, 'reconnect')
    await client.refresh()
    await back
    const expected = ['of-bob', 'called-bob', 'called-ann', 'bound']
    await until(() => expected.every((name) => client.channels().includes(name)))
    expect(client.channels()).to.have.members(expected)
    await until(() => site.sockets.channelSockets('called-ann').length === 1)
    expect(site.sockets.channelSockets('of-ann')).to.deep.equal([])
  })
})
