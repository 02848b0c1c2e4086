/** What a user who is cut off may have begun before, on one node or on two that share an engine. */
import { CLOSE_CODES } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { type Site, type SiteOptions, sessions, signIn, until } from './fixture.js'
import type { Peer } from './peer.js'

const SECRET = 'of the tests, 32 bytes long or more'

/** A site with a way to hold `authentication` and its listeners up. */
interface Node {
  readonly site: Site
  /** Those that wait in `authentication`, and in its listeners. */
  readonly asked: (() => void)[]
  readonly deciding: (() => void)[]
}

/**
 * Tests of `cluster.disconnect`.
 * @param start makes two sites on one engine, or one site twice
 */
export function describeCuttingOff(start: (options: SiteOptions) => Promise<readonly [Site, Site]>): void {
  let here: Node
  let there: Node

  async function open(more: SiteOptions = {}): Promise<void> {
    const [asked, deciding]: (() => void)[][] = [[], []]
    const authentication = async ({ query }: { query: Record<string, unknown> }) => {
      if (query.wait) await new Promise<void>((resolve) => asked?.push(resolve))
      return { uid: query.uid }
    }
    const sites = await start({ authentication, secret: SECRET, ...more })
    for (const { sockets } of new Set(sites)) {
      sockets.on('authentication', async (_socket, auth) => {
        const { slow } = auth as { readonly slow?: unknown }
        if (slow) await new Promise<void>((resolve) => deciding?.push(resolve))
        return true
      })
    }
    const nodes = sites.map((site) => ({ site, asked: asked ?? [], deciding: deciding ?? [] }))
    ;[here, there] = nodes as [Node, Node]
  }

  const tokenOf = async ({ site }: Node, query: string, init: RequestInit = {}) => {
    const response = await site.askToken(init, `?${query}`)
    return ((await response.json()) as { token: string }).token
  }

  const bring = async ({ site }: Node, token: string) => {
    const peer = await site.peer()
    peer.send({ rpc: 'auth', token, uuid: 'auth', version: 1 })
    return peer
  }

  /** `in`, or the close code that it was sent away with. */
  const outcomeOf = (peer: Peer) =>
    Promise.race([
      peer.find(({ resp }) => resp === 'success').then(() => 'in'),
      peer.closed.then(({ code }) => code),
    ])

  const enter = async (node: Node, token: string) => outcomeOf(await bring(node, token))
  const cut = (uid: string, reconnect = false) => here.site.sockets.cluster.disconnect({ uid }, { reconnect })
  const invalid = CLOSE_CODES.invalid_token.code
  const forGood = CLOSE_CODES.disconnected.code

  const sign = (claims: object, options: jwt.SignOptions = {}) =>
    jwt.sign({ scope: 'connect', exp: Math.floor(Date.now() / 1000) + 60, ...claims }, SECRET, options)

  it('refuses tokens that were asked for before, and no others', async () => {
    await open()
    const early = await Promise.all(
      [here, there, here, there].map(async (node) => ({ node, token: await tokenOf(node, 'uid=bob') })),
    )
    const other = await tokenOf(there, 'uid=ann')
    await cut('bob')
    for (const { token, node } of early) expect(await enter(node, token)).to.equal(invalid)
    expect(await enter(there, other)).to.equal('in')
    expect(await enter(there, await tokenOf(here, 'uid=bob'))).to.equal('in')
  })

  it('refuses tokens whose `authentication` was running', async () => {
    await open()
    const asking = [here, there].map((node) => tokenOf(node, 'uid=bob&wait=1'))
    await until(() => here.asked.length === 2)
    await cut('bob')
    for (const go of here.asked) go()
    for (const token of await Promise.all(asking)) expect(await enter(there, token)).to.equal(invalid)
  })

  for (const reconnect of [true, false]) {
    it(`ends those whose \`authentication\` listeners decide: reconnect ${reconnect}`, async () => {
      await open()
      const peers = [
        await bring(there, sign({ uid: 'bob', slow: 1 })),
        await bring(here, sign({ uid: 'bob', slow: 1 })),
      ]
      const other = await bring(there, sign({ uid: 'ann', slow: 1 }))
      await until(() => here.deciding.length === 3)
      expect(await cut('bob', reconnect)).to.deep.equal({ count: 2, missing: [] })
      const code = reconnect ? CLOSE_CODES.closed_by_server.code : forGood
      for (const peer of peers) expect(await outcomeOf(peer)).to.equal(code)
      for (const go of here.deciding) go()
      expect(await outcomeOf(other)).to.equal('in')
      expect(
        new Set([here, there].flatMap(({ site }) => site.sockets.sockets().map(({ uid }) => uid))),
      ).to.deep.equal(new Set(['ann']))
    })
  }

  it('refuses what the application signed before, if the user is to stay away', async () => {
    await open()
    const now = Math.floor(Date.now() / 1000)
    const [early, undated] = [sign({ uid: 'bob', iat: now - 5 }), sign({ uid: 'bob' }, { noTimestamp: true })]
    await cut('bob', true)
    for (const token of [early, undated]) expect(await enter(there, token)).to.equal('in')
    await cut('bob', false)
    for (const node of [here, there])
      for (const token of [early, undated]) expect(await enter(node, token)).to.equal(invalid)
    expect(await enter(there, sign({ uid: 'bob', iat: now + 4 }))).to.equal('in')
    expect(await enter(there, sign({ uid: 'ann', iat: now - 5 }))).to.equal('in')
  })

  it('ends what one session signed in, where sockets have no uid', async () => {
    const ids = new Map<string, string>()
    await open({
      authentication: 'auth',
      prepare: (app) => {
        sessions(app)
        app.get('/id', (request, response) => {
          ids.set(String(request.query.of), request.sessionID)
          response.end()
        })
      },
    })
    const cookies = { bob: await signIn(here.site, 'bob'), ann: await signIn(here.site, 'ann') }
    for (const [name, headers] of Object.entries(cookies))
      await fetch(`${here.site.url}/id?of=${name}`, { headers })
    const bob = await bring(there, await tokenOf(there, '', { headers: cookies.bob }))
    const ann = await bring(there, await tokenOf(there, '', { headers: cookies.ann }))
    for (const peer of [bob, ann]) expect(await outcomeOf(peer)).to.equal('in')
    const early = await tokenOf(here, '', { headers: cookies.bob })
    const session = String(ids.get('bob'))
    const { cluster } = here.site.sockets
    expect(await cluster.disconnect({ session }, { reconnect: false })).to.deep.equal({
      count: 1,
      missing: [],
    })
    expect((await bob.closed).code).to.equal(forGood)
    expect(await enter(there, early)).to.equal(invalid)
    expect((await ann.ask({ rpc: '_ping', req: {} })).error).to.equal(undefined)
    const known = [here, there].flatMap(({ site }) => site.log.map((line) => JSON.stringify(line)))
    expect(known.filter((line) => line.includes(session))).to.deep.equal([])
  })
}
