import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { NewChannels } from '#server/channels/new-channels.js'
import { readClaims } from '#server/claims/claims.js'
import { rejection } from '../protocol/rejection.js'
import { makeSocket } from './sockets.js'

const LIMIT = 3
const HOUR = 3_600_000

describe('NewChannels', () => {
  let clock: sinon.SinonFakeTimers
  let engine: MemoryEngine
  let channels: NewChannels

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['performance'] })
    engine = new MemoryEngine()
    channels = new NewChannels({ limits: { channelsPerUser: LIMIT }, history: engine.history })
  })
  afterEach(async () => {
    await engine.close()
    clock.restore()
  })

  const user = (uid?: string, ip = '10.0.0.1') => {
    const claims = uid === undefined ? undefined : readClaims({ uid })
    return makeSocket({ identity: { ip, claims } }).socket
  }

  /** Publishes for a socket, as the server does. */
  async function publish(socket: ReturnType<typeof user>, channel: string): Promise<void> {
    await channels.check(socket, channel)
    const retention = { size: 10, ttl: 60_000 }
    const { offset } = await engine.broker.publish({ channel, json: '1' }, { retention })
    channels.published(socket, offset)
  }

  it('refuses one channel more of a user, over all of the user’s sockets, and nothing of others', async () => {
    const first = user('ann')
    for (const name of ['a', 'b', 'c']) await publish(first, name)
    const error = await rejection(publish(user('ann'), 'd'))
    expect(error).to.deep.include({
      code: 'too_many_channels',
      data: { field: 'channelsPerUser', limit: LIMIT },
    })
    expect((await engine.history.position('d')).offset).to.equal(0)
    await publish(user('ben'), 'd')
  })

  it('goes on with channels that keep something, of whichever user', async () => {
    const [ann, ben] = [user('ann'), user('ben')]
    for (const name of ['a', 'b', 'c']) await publish(ann, name)
    await publish(ben, 'd')
    for (const name of ['a', 'b', 'c', 'd', 'a']) await publish(ann, name)
    expect((await engine.history.position('a')).offset).to.equal(3)
  })

  it('counts users without a name by their address', async () => {
    for (const name of ['a', 'b', 'c']) await publish(user(undefined, '2001:db8::1'), name)
    const other = user(undefined, '2001:db8::2')
    expect((await rejection(publish(other, 'd'))).code).to.equal('too_many_channels')
    await publish(user(undefined, '10.0.0.1'), 'd')
  })

  it('lets a user begin as many again after an hour, and keeps nothing of users of before', async () => {
    for (const name of ['a', 'b', 'c']) await publish(user('ann'), name)
    clock.tick(HOUR - 1)
    expect((await rejection(publish(user('ann'), 'd'))).code).to.equal('too_many_channels')
    clock.tick(1)
    await publish(user('ben'), 'd')
    expect(channels.size).to.equal(1)
    await publish(user('ann'), 'e')
  })
})
