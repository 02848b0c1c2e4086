/** Servers that share a Redis, and real clients on them. */
import type { TokenSocket } from '@token-socket/client'
import { NAMES } from '@token-socket/engine-tests'
import { RedisEngine, type RedisEngineOptions } from '@token-socket/redis'
import type { ServerHealth } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { rejection, type Site, type SiteOptions, until, useSites } from '../end-to-end/fixture.js'
import { numbers } from './redis-node.js'
import { type Admin, RedisProcess } from './redis-process.js'
import { RedisProxy } from './redis-proxy.js'

const SECRET = 'the secret of every node, of 32 bytes'

const RULES = {
  'kept-*': { subscribe: true, publish: true, history: { size: 1000, ttl: 60_000 } },
  '*': { subscribe: true, publish: true },
}

/** A client, and in short what it heard: messages as their data, and `gap` with its reason. */
interface Ear {
  readonly client: TokenSocket
  readonly heard: unknown[]
  readonly left: string[]
}

describe('servers on one Redis', () => {
  const startSite = useSites()
  let redis: RedisProcess
  let admin: Admin
  let proxy: RedisProxy

  beforeEach(async () => {
    redis = await RedisProcess.start('--appendonly', 'yes')
    admin = await redis.admin()
    proxy = await RedisProxy.open(redis.port)
  })

  // The sites are stopped after this: what they do meanwhile must do no harm.
  afterEach(async () => {
    await proxy.close()
    await redis.stop()
  })

  async function start(options: SiteOptions = {}, settings: RedisEngineOptions = {}): Promise<Site> {
    const quiet = { info: () => {}, warn: () => {} }
    const engine = new RedisEngine({ url: redis.url, checkInterval: 100, logger: quiet, ...settings })
    await engine.ready()
    const site = await startSite({ engine, secret: SECRET, channels: RULES, ...options })
    await until(() => site.sockets.health().status === 'ok')
    return site
  }

  const pair = (settings?: RedisEngineOptions) => Promise.all([start({}, settings), start({}, settings)])

  async function listen(site: Site, ...channels: string[]): Promise<Ear> {
    const client = await site.ready()
    const ear: Ear = { client, heard: [], left: [] }
    client.on('message', (_channel, data) => ear.heard.push(data))
    client.on('gap', (_channel, reason) => ear.heard.push(`gap ${reason}`))
    client.on('disconnect', (error) => ear.left.push(error.code))
    for (const channel of channels) await client.subscribe(channel)
    return ear
  }

  const healthOf = async (site: Site) => {
    const response = await fetch(`${site.url}/sockets/health`)
    return [response.status, ((await response.json()) as ServerHealth).status]
  }

  describe('after FLUSHALL', () => {
    it('tell every client of the gap, and then go on', async () => {
      const [one, two] = await pair()
      const ears = await Promise.all([one, two, two].map((site) => listen(site, 'kept-a')))
      for (const data of [1, 2, 3]) await one.sockets.publish('kept-a', data)
      for (const { heard } of ears) await until(() => heard.length === 3)
      await admin.flushAll()
      for (const data of [4, 5]) await two.sockets.publish('kept-a', data)
      for (const { heard } of ears) {
        await until(() => heard.length >= 6)
        expect(heard).to.deep.equal([1, 2, 3, 'gap epoch_changed', 4, 5])
      }
      for (const { left } of ears) expect(left).to.deep.equal([])
    })

    it('tell a client that was there before anything was published on its node, too', async () => {
      const one = await start()
      await one.sockets.publish('kept-a', 1)
      const ear = await listen(one, 'kept-a')
      await admin.flushAll()
      await one.sockets.publish('kept-a', 2)
      await until(() => ear.heard.length === 2)
      expect(ear.heard).to.deep.equal(['gap epoch_changed', 2])
    })

    it('tell those who were there when somebody else subscribes', async () => {
      const [one] = await pair()
      const ear = await listen(one, 'kept-a')
      await one.sockets.publish('kept-a', 1)
      await until(() => ear.heard.length === 1)
      await admin.flushAll()
      const late = await listen(one, 'kept-a')
      await until(() => ear.heard.length === 2)
      await one.sockets.publish('kept-a', 2)
      await until(() => late.heard.length === 1 && ear.heard.length === 3)
      expect(ear.heard).to.deep.equal([1, 'gap epoch_changed', 2])
      expect(late.heard).to.deep.equal([2])
    })

    it('tell a client that comes back', async () => {
      const [one] = await pair()
      const ear = await listen(one, 'kept-a')
      await one.sockets.publish('kept-a', 1)
      await until(() => ear.heard.length === 1)
      ear.client.suspend()
      await admin.flushAll()
      await one.sockets.publish('kept-a', 'unheard')
      ear.client.resume()
      await until(() => ear.heard.length === 2)
      expect(ear.heard).to.deep.equal([1, 'gap epoch_changed'])
    })

    it('tell nobody of a gap who saw the channel empty', async () => {
      const [one, two] = await pair()
      const ears = [await listen(one, 'kept-a'), await listen(two, 'kept-a')]
      await one.sockets.publish('kept-a', 1)
      ears.push(await listen(two, 'kept-a'))
      await one.sockets.publish('kept-a', 2)
      for (const { heard } of ears) await until(() => heard.includes(2))
      expect(ears.map(({ heard }) => heard)).to.deep.equal([[1, 2], [1, 2], [2]])
    })
  })

  describe('while Redis is away', () => {
    it('keep their sockets and local calls, refuse publications at once, and say so', async () => {
      const [one, two] = await pair()
      const [ann, bob] = [await listen(one, 'kept-a', 'loose'), await listen(two, 'kept-a', 'loose')]
      expect(await healthOf(one)).to.deep.equal([200, 'ok'])
      await redis.kill()
      await Promise.all([one, two].map((site) => until(() => site.sockets.health().status === 'degraded')))
      expect(await healthOf(one)).to.deep.equal([200, 'degraded'])
      const begun = performance.now()
      for (const channel of ['kept-a', 'loose']) {
        expect((await rejection(ann.client.publish(channel, 1))).code).to.equal('engine_unavailable')
        expect((await rejection(one.sockets.publish(channel, 1))).code).to.equal('engine_unavailable')
      }
      expect((await rejection(one.sockets.broadcast(1))).code).to.equal('engine_unavailable')
      expect((await rejection(ann.client.subscribe('new'))).code).to.equal('engine_unavailable')
      expect((await rejection(one.sockets.unsubscribeAll('loose'))).code).to.equal('engine_unavailable')
      expect((await one.askToken()).status).to.equal(500)
      expect(performance.now() - begun).to.be.below(4000)
      expect(await ann.client.rpc('echo', 'still here')).to.equal('still here')
      expect(await bob.client.rpc('echo', 'too')).to.equal('too')
      await redis.restart()
      await Promise.all([one, two].map((site) => until(() => site.sockets.health().status === 'ok')))
      expect(await healthOf(one)).to.deep.equal([200, 'ok'])
      await ann.client.publish('kept-a', 'back')
      await bob.client.publish('loose', 'too')
      for (const { heard, left } of [ann, bob]) {
        await until(() => heard.includes('back') && heard.includes('too'))
        expect(left).to.deep.equal([])
      }
    })

    it('send what may wait when it is back', async () => {
      const [one, two] = await pair({ waitingPublications: 100 })
      const [ann, bob] = [await listen(one, 'kept-a'), await listen(two, 'kept-a')]
      await redis.kill()
      await until(() => one.sockets.health().status === 'degraded')
      const published = [1, 2, 3].map((data) => ann.client.publish('kept-a', data))
      await redis.restart()
      expect((await Promise.all(published)).map((receipt) => receipt?.offset)).to.deep.equal([1, 2, 3])
      for (const { heard } of [ann, bob]) {
        await until(() => heard.length >= 3)
        expect(heard).to.deep.equal([1, 2, 3])
      }
    })
  })

  it('whose Redis is slower by half a second, serve all the same', async () => {
    const [slow, fast] = [await start({}, { url: proxy.url }), await start()]
    proxy.delay = 250
    const [ann, bob] = await Promise.all([listen(slow, 'kept-a'), listen(fast, 'kept-a')])
    await Promise.all(
      numbers(1, 3).flatMap((data) => [
        ann.client.publish('kept-a', data),
        bob.client.publish('kept-a', data),
      ]),
    )
    for (const { heard } of [ann, bob]) await until(() => heard.length === 6)
    expect(ann.heard).to.deep.equal(bob.heard)
    expect(await healthOf(slow)).to.deep.equal([200, 'ok'])
  })

  describe('with different secrets', () => {
    it('refuse each other’s tokens, and say in the log why that may be', async () => {
      const [one, two] = [await start(), await start({ secret: 'quite another secret, of 32 bytes' })]
      const token = await one.token()
      const peer = await two.peer()
      expect(await peer.auth(token)).to.include({ error: 'Invalid token', code: 'invalid_token' })
      expect((await peer.closed).code).to.equal(4004)
      await until(() => two.log.some(({ level }) => level === 'warn'))
      const [warning] = two.log.filter(({ level }) => level === 'warn')
      expect(warning?.message).to.match(/another node issued: do all nodes have the same secret/)
      expect(JSON.stringify(two.log)).to.not.include(token)
      for (const site of [one, two]) await site.servesHonestClients()
    })
  })

  describe('whose clocks differ by an hour', () => {
    /** A token as a node would issue it whose clock is wrong. @param ahead seconds */
    async function tokenAt(site: Site, ahead: number): Promise<string> {
      const { header, payload } = jwt.decode(await site.token(), { complete: true }) as jwt.Jwt
      const { iat = 0, exp = 0, ...claims } = payload as jwt.JwtPayload
      return jwt.sign({ ...claims, iat: iat + ahead, exp: exp + ahead }, SECRET, {
        keyid: header.kid ?? '',
      })
    }

    it('let tokens of the one that is ahead in, which still work once', async () => {
      const [one, two] = await pair()
      const token = await tokenAt(one, 3600)
      expect(await (await two.peer()).auth(token)).to.include({ resp: 'success' })
      expect(await (await one.peer()).auth(token)).to.include({ code: 'invalid_token' })
    })

    it('refuse those of the one that is behind, and say in the log why that may be', async () => {
      const [one, two] = await pair()
      expect(await (await two.peer()).auth(await tokenAt(one, -3600))).to.include({ code: 'invalid_token' })
      await until(() => two.log.some(({ level }) => level === 'warn'))
      expect(two.log.find(({ level }) => level === 'warn')?.message).to.match(/another node issued.*time\?$/)
    })
  })

  describe('channels named', () => {
    const names = NAMES.filter(([name, other]) => `kept-${other}`.length <= 256 && name.length < 200)

    for (const [name, other] of names) {
      it(`${JSON.stringify(name)}, not ${JSON.stringify(other)}, cross from node to node`, async () => {
        const [one, two] = await pair()
        const ear = await listen(two, name, `kept-${name}`)
        for (const channel of [other, name, `kept-${other}`, `kept-${name}`]) {
          await one.sockets.publish(channel, channel)
        }
        await until(() => ear.heard.length >= 2)
        expect(ear.heard).to.have.members([name, `kept-${name}`])
        const { publications } = await one.sockets.history(`kept-${name}`)
        expect(publications.map(({ channel }) => channel)).to.deep.equal([`kept-${name}`])
      })
    }
  })
})
