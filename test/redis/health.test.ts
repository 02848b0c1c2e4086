/** What the engine says of its own health. */
import { expect } from 'chai'
import { RedisNode } from './redis-node.js'
import { type Admin, RedisProcess } from './redis-process.js'
import { RedisProxy } from './redis-proxy.js'

describe('RedisEngine’s health', () => {
  let redis: RedisProcess
  let admin: Admin
  let proxy: RedisProxy
  let node: RedisNode

  beforeEach(async () => {
    redis = await RedisProcess.start()
    admin = await redis.admin()
    proxy = await RedisProxy.open(redis.port)
  })

  afterEach(async () => {
    await node.engine.close()
    await proxy.close()
    await redis.stop()
  })

  const start = async (options: object = {}) => {
    // It connects by itself: on a busy machine the first tries may take longer than they may.
    node = new RedisNode({ url: proxy.url, checkInterval: 50, ...options })
    await untilWell()
  }
  const untilIll = () => node.until(() => !node.engine.health.now.ok)
  const untilWell = () => node.until(() => node.engine.health.now.ok)

  it('is not good before it is connected', async () => {
    node = new RedisNode({ url: redis.url })
    expect(node.engine.health.now).to.deep.include({ ok: false })
    await untilWell()
  })

  it('is bad while Redis is away, since then, and says nothing of where it is', async () => {
    await start()
    const before = Date.now()
    await redis.kill()
    await untilIll()
    const { since, reason } = node.engine.health.now
    expect(since).to.be.within(before, Date.now())
    expect(reason).to.match(/connection to Redis is away$/)
    await redis.restart()
    await untilWell()
    expect(node.engine.health.now).to.not.have.property('reason')
    expect(node.engine.health.now.since).to.be.at.least(since)
  })

  it('is bad while no messages can come, though commands work', async () => {
    await start({ url: redis.url, connectTimeout: 100 })
    await admin.sendCommand(['ACL', 'SETUSER', 'default', '-subscribe'])
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
    await node.until(() => /^the subscriber connection/.test(node.engine.health.now.reason ?? ''))
    await node.keep('a', '1')
    await admin.sendCommand(['ACL', 'SETUSER', 'default', '+subscribe'])
    await untilWell()
  })

  it('is bad while Redis is half-open', async () => {
    await start({ commandTimeout: 100, connectTimeout: 100 })
    proxy.isMute = true
    await untilIll()
    proxy.isMute = false
    await untilWell()
  })

  it('is good while Redis is slow', async () => {
    await start({ commandTimeout: 3000 })
    proxy.delay = 500
    await node.keep('a', '1')
    expect(node.healths).to.deep.equal([true])
  })

  it('is bad while Redis has no memory, though nobody publishes', async () => {
    await start()
    await admin.configSet('maxmemory-policy', 'noeviction')
    await admin.configSet('maxmemory', '1')
    await untilIll()
    expect(node.engine.health.now.reason).to.equal('Redis refuses what is written: OOM')
    await admin.configSet('maxmemory', '0')
    await untilWell()
    expect(node.healths).to.deep.equal([true, false, true])
  })

  it('is bad without a break while Redis is a replica, however often the node comes back', async () => {
    await start()
    await admin.sendCommand(['REPLICAOF', '127.0.0.1', '1'])
    await untilIll()
    const back = () => node.logged.filter(({ message }) => message === 'Redis is back').length
    const before = back()
    await node.until(() => back() > before)
    await node.keep('a', '1').catch(() => {})
    expect(node.engine.health.now.ok).to.equal(false)
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    await untilWell()
    expect(node.healths).to.deep.equal([true, false, true])
  })

  it('is good though a channel’s key is of the wrong type', async () => {
    await start()
    await admin.set('token-socket:{a}:publications', 'theirs')
    await node.keep('a', '1').catch(() => {})
    await node.untilLogged('Redis refused something')
    expect(node.healths).to.deep.equal([true])
  })
})
