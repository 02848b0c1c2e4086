/** Servers for different users, which have a Redis and a secret in common: whose tokens open which sockets. */
import { RedisEngine } from '@token-socket/redis'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { type Site, type SiteOptions, useSites } from '../end-to-end/fixture.js'
import { RedisProcess } from './redis-process.js'

const SECRET = 'of the tests, 32 bytes long or more'
const STAFF = { prefix: '/staff', tokenRoute: '/staff-token' }

/** What users and staff may have beside their paths. */
const SETTINGS: Readonly<Record<string, readonly [users: SiteOptions, staff: SiteOptions]>> = {
  'as in docs/EXPRESS.md': [{}, STAFF],
  'with the same `audience`, which both name': [{ audience: 'chat' }, { ...STAFF, audience: 'chat' }],
  'with an `audience` each': [{}, { ...STAFF, audience: 'staff' }],
  'with prefixes that differ in case': [{ prefix: '/a' }, { ...STAFF, prefix: '/A' }],
}

describe('several prefixes, with a Redis and a secret in common', function () {
  this.timeout(120_000)
  const sites = useSites()
  let redis: RedisProcess
  let made = 0

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  async function start(options: SiteOptions): Promise<Site> {
    const engine = new RedisEngine({ url: redis.url, prefix: `${made}:` })
    await engine.ready()
    return sites({ engine, secret: SECRET, authentication: () => ({ uid: 'ann' }), ...options })
  }

  /** What a connection is answered that brings a token. */
  async function signIn(site: Site, token: string): Promise<unknown> {
    const { code, resp } = await (await site.peer()).ask({ rpc: 'auth', version: 1, token })
    return code ?? resp
  }

  for (const [name, [ofUsers, ofStaff]] of Object.entries(SETTINGS)) {
    it(`${name}: a token opens sockets at the prefix of its own server only`, async () => {
      made += 1
      const [users, staff] = [await start(ofUsers), await start(ofStaff)]
      for (const [one, other] of [
        [users, staff],
        [staff, users],
      ] as const) {
        expect(await signIn(other, await one.token())).to.equal('invalid_token')
        expect(await signIn(one, await one.token())).to.equal('success')
      }
    })
  }

  it('a new token of an open socket has to be of the same server, too', async () => {
    made += 1
    const [users, staff] = [await start({}), await start(STAFF)]
    const peer = await staff.peer()
    const auth = { rpc: 'auth', version: 1, can: ['refresh'] }
    await peer.ask({ ...auth, token: await staff.token() })
    const refresh = async (token: string) => (await peer.ask({ rpc: '_refresh', req: { token } })).code
    expect(await refresh(await users.token())).to.equal('invalid_token')
    expect(await refresh(await staff.token())).to.equal(undefined)
  })

  it('another node with the same prefix takes a token, whatever its token route is', async () => {
    made += 1
    const [one, other] = [await start({}), await start({ tokenRoute: '/other-token' })]
    expect(await signIn(other, await one.token())).to.equal('success')
  })

  it('a token that the application signs counts where its `aud` does', async () => {
    made += 1
    const [users, staff] = [await start({}), await start({ ...STAFF, audience: 'staff' })]
    const exp = Math.floor(Date.now() / 1000) + 60
    const sign = (aud: string) => jwt.sign({ scope: 'connect', uid: 'ann', exp, aud }, SECRET)
    expect(await signIn(staff, sign('token-socket'))).to.equal('invalid_token')
    expect(await signIn(staff, sign('staff'))).to.equal('success')
    expect(await signIn(users, sign('staff'))).to.equal('invalid_token')
    const unbound = jwt.sign({ scope: 'connect', uid: 'ann', exp }, SECRET)
    expect([await signIn(users, unbound), await signIn(staff, unbound)]).to.deep.equal(['success', 'success'])
  })
})
