import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join as joinPath } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MemoryEngine, RpcError, type TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import sinon from 'sinon'
import { sharingTickets } from './engines.js'
import { useSites } from './fixture.js'
import { forgeToken } from './jwt.js'
import type { Frame, Peer } from './peer.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const KEY = 'the key of the application, 32 bytes or more'

/** The claims of the chat in GRANTS.md. */
const CHAT = {
  scope: 'connect',
  uid: 'jim',
  umd: { name: 'Jim' },
  channels: {
    'chat-abc123': {
      subscribe: true,
      historyStart: 0,
      messages: {
        chat: { publish: true, echo: true, store: 86_400 },
        'is-typing': { publish: true },
      },
    },
  },
}

describe('a token that the application signed', () => {
  const startSite = useSites()
  const start = (options: Partial<TokenSocketServerOptions> = {}) =>
    startSite({ keys: { app: { algorithm: 'HS256', key: KEY } }, authentication: () => false, ...options })

  const sign = (claims: object, expiresIn = 30) => jwt.sign(claims, KEY, { keyid: 'app', expiresIn })

  afterEach(() => sinon.restore())

  type Site = Awaited<ReturnType<typeof start>>

  async function join(site: Site, claims: object): Promise<{ peer: Peer; sid: string; answer: Frame }> {
    const peer = await site.peer()
    const answer = await peer.ask({ rpc: 'auth', token: sign(claims), version: 1 })
    expect(answer.resp).to.equal('success')
    return { peer, sid: String(answer.sid), answer }
  }

  const subscribe = (peer: Peer, channel: string, req: object = {}) =>
    peer.ask({ rpc: '_subscribe', req: { channel, ...req } })
  const publish = (peer: Peer, channel: string, req: object) =>
    peer.ask({ rpc: '_publish', req: { channel, ...req } })
  const notice = (peer: Peer, channel: string) =>
    peer.find((frame) => frame.command === 'subscribe' && (frame.data as Frame).channel === channel)

  it('opens a socket without the token endpoint, and says who it is', async () => {
    const site = await start()
    const { sid, answer } = await join(site, CHAT)
    expect(answer).to.deep.include({ uid: 'jim', umd: { name: 'Jim' } })
    const [socket] = site.sockets.sockets()
    expect(socket?.sid).to.equal(sid)
    expect(socket?.auth).to.include({ uid: 'jim', scope: 'connect' })
    expect((await site.askToken()).status).to.equal(403)
  })

  it('says who may publish what, what is echoed, and what is kept', async () => {
    const site = await start()
    const { peer } = await join(site, CHAT)
    expect((await subscribe(peer, 'chat-abc123')).resp).to.equal(null)
    const typing = await publish(peer, 'chat-abc123', { event: 'is-typing' })
    expect(typing.resp).to.have.all.keys(['id'])
    const said = await publish(peer, 'chat-abc123', { event: 'chat', data: 'Hello' })
    expect(said.resp).to.include({ offset: 1 })
    const { meta, event } = await peer.find((frame) => frame.message === 'Hello')
    expect([meta, event]).to.deep.equal([{ uid: 'jim', umd: { name: 'Jim' } }, 'chat'])
    expect(peer.frames.some((frame) => frame.event === 'is-typing')).to.equal(false)
    const { resp } = await peer.ask({ rpc: '_history', req: { channel: 'chat-abc123' } })
    expect((resp as { publications: Frame[] }).publications.map(({ data }) => data)).to.deep.equal(['Hello'])
    for (const refused of [
      await publish(peer, 'chat-abc123', { event: 'other' }),
      await publish(peer, 'chat-abc123', {}),
      await publish(peer, 'chat-other', { event: 'chat' }),
      await subscribe(peer, 'chat-other'),
      await peer.ask({ rpc: '_broadcast', req: {} }),
    ]) {
      expect(refused.code).to.equal('forbidden')
    }
  })

  it('subscribes to what `autoSubscribe` names, as if the client had asked', async () => {
    const site = await start()
    const asked: string[] = []
    site.sockets.on('subscribe', (_socket, { channel }, callback) => {
      asked.push(channel)
      callback(null, channel !== 'vetoed')
    })
    const channels = {
      one: { autoSubscribe: true },
      two: { autoSubscribe: true },
      vetoed: { autoSubscribe: true },
      no: { subscribe: true },
    }
    const { peer } = await join(site, { scope: 'connect', channels })
    await notice(peer, 'one')
    await notice(peer, 'two')
    const [socket] = site.sockets.sockets()
    expect(socket?.channels).to.have.members(['one', 'two'])
    expect(asked).to.have.members(['one', 'two', 'vetoed'])
    expect(site.log.some(({ message }) => message === 'an automatic subscription was refused')).to.equal(true)
    await site.sockets.publish('one', 1)
    await peer.find((frame) => frame.message === 1)
  })

  it('works once if it has a jti', async () => {
    const site = await start()
    const claims = { ...CHAT, jti: 'once' }
    await join(site, claims)
    const peer = await site.peer()
    const answer = await peer.auth(sign(claims))
    expect(answer.code).to.equal('invalid_token')
    expect(await peer.closed).to.include({ code: 4004 })
  })

  it('is looked at by its `iss` if `issuer` is set', async () => {
    const site = await start({ issuer: 'the-app' })
    await join(site, { ...CHAT, iss: 'the-app' })
    const peer = await site.peer()
    expect((await peer.auth(sign(CHAT))).code).to.equal('invalid_token')
  })

  it('goes on being good while keys are rotated', async () => {
    const site = await start({
      keys: { next: { algorithm: 'HS512', key: `${KEY}, next` }, app: { algorithm: 'HS256', key: KEY } },
    })
    await join(site, CHAT)
    const peer = await site.peer()
    const token = jwt.sign(CHAT, `${KEY}, next`, { algorithm: 'HS512', keyid: 'next', expiresIn: 30 })
    expect((await peer.auth(token)).resp).to.equal('success')
  })

  it('may be signed with the secret', async () => {
    const site = await start({ keys: undefined as never, secret: KEY })
    const peer = await site.peer()
    expect((await peer.auth(jwt.sign(CHAT, KEY, { expiresIn: 30 }))).resp).to.equal('success')
  })

  for (const [what, token, code = 4004] of [
    ['is expired', sign(CHAT, -10)],
    ['has another scope', sign({ ...CHAT, scope: 'subscribe' })],
    ['has a pattern that is none', sign({ ...CHAT, channels: { '#regex:[': {} } })],
    ['has a umd that is too large', sign({ ...CHAT, umd: 'x'.repeat(5000) })],
    ['is longer than 7900', sign({ ...CHAT, more: 'x'.repeat(5700) }), 4500],
    ['is nested a thousand deep', sign({ ...CHAT, channels: JSON.parse('['.repeat(900) + ']'.repeat(900)) })],
    ['is of another key', jwt.sign(CHAT, 'another key', { keyid: 'app', expiresIn: 30 })],
  ] as const) {
    it(`that ${what} is refused, and why is never said`, async () => {
      const site = await start()
      const peer = await site.peer()
      peer.send({ rpc: 'auth', token, uuid: 'auth' })
      expect(await peer.closed).to.have.property('code', code)
      for (const { error } of peer.frames) expect(error).to.equal('Invalid token')
      await join(site, CHAT)
    })
  }

  it('reaches functions as a plain object that is frozen', async () => {
    let seen: unknown
    const site = await start({
      socketController: {
        look: (auth: unknown) => {
          seen = auth
        },
      },
    })
    const { peer } = await join(site, { ...CHAT, roles: ['admin'] })
    await peer.ask({ rpc: 'look' })
    expect(seen).to.deep.include({ ...CHAT, roles: ['admin'] }).and.to.be.frozen
    expect(Object.getPrototypeOf(seen)).to.equal(Object.prototype)
  })

  it('is what the `authentication` listeners are asked about', async () => {
    const site = await start()
    site.sockets.on('authentication', (_socket, auth) => (auth as Frame).uid !== 'eve')
    await join(site, CHAT)
    const peer = await site.peer()
    expect((await peer.auth(sign({ ...CHAT, uid: 'eve' }))).code).to.equal('forbidden')
  })

  it('with a jti opens one socket, of those on two nodes that bring it at once', async () => {
    const engine = new MemoryEngine()
    const nodes = [await start({ engine }), await start({ engine: sharingTickets(engine) })]
    for (let round = 0; round < 20; round += 1) {
      const token = sign({ ...CHAT, jti: `round ${round}` })
      const peers = await Promise.all(nodes.map((node) => node.peer()))
      const answers = await Promise.all(peers.map((peer) => peer.auth(token)))
      expect(answers.map(({ resp, code }) => resp ?? code)).to.have.members(['success', 'invalid_token'])
    }
  })

  it('costs the server no time by its expressions', async () => {
    const evil = ['(a+)+b', '(a|a)*b', '(.*a){20}b', '(a*)*(a*)*b']
    const channels = Object.fromEntries(evil.map((text) => [`#regex:${text}`, { subscribe: true }]))
    const site = await start()
    const { peer } = await join(site, { ...CHAT, channels })
    // A matcher that backtracks would not be done before the end of the world.
    expect((await subscribe(peer, 'a'.repeat(256))).code).to.equal('forbidden')
    expect((await subscribe(peer, `${'a'.repeat(255)}b`)).resp).to.equal(null)
  })

  describe('and is forged, or mistaken for another,', () => {
    const { publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    const keys = {
      app: { algorithm: 'HS256', key: KEY },
      rsa: { algorithm: 'RS256', key: publicKey },
    } as const
    const head = { alg: 'HS256', typ: 'JWT', kid: 'app' }
    const inAMinute = () => Math.floor(Date.now() / 1000) + 60
    const claims = () => ({ ...CHAT, exp: inAMinute(), iss: 'the-app' })
    const forge = (changes: object, header: object = {}) =>
      forgeToken({ ...head, ...header }, { ...claims(), ...changes }, KEY)

    const bad: [what: string, token: () => string, why: RegExp][] = [
      ['with alg none', () => forgeToken({ ...head, alg: 'none' }, claims()), /signature is required/],
      [
        'with the public key for a secret',
        () => forgeToken({ ...head, kid: 'rsa' }, claims(), publicKey),
        /invalid algorithm/,
      ],
      ['with an unknown kid', () => forge({}, { kid: 'toString' }), /names no key/],
      ['without a kid, where there are two keys', () => forge({}, { kid: undefined }), /names no key/],
      ['not good yet', () => forge({ nbf: inAMinute() }), /not active/],
      ['of another issuer', () => forge({ iss: 'eve' }), /another issuer/],
      ['for another audience', () => forge({ aud: 'another' }), /another audience/],
      ['without exp', () => forge({ exp: undefined }), /lacks exp/],
      ['for a channel', () => forge({ scope: 'subscribe', connectionId: 'x' }), /scope is not connect/],
      ['with an unknown scope', () => forge({ scope: 'CONNECT' }), /unknown scope/],
      [
        'with a permission that is not known',
        () => forge({ channels: { a: { publish: false } } }),
        /not known/,
      ],
      ['with a uid that is no text', () => forge({ uid: { $ne: '' } }), /uid has to be/],
    ]
    for (const [what, token, why] of bad) {
      it(`${what}, is refused, and only the log is told why`, async () => {
        const site = await start({ keys, issuer: 'the-app' })
        const peer = await site.peer()
        expect(await peer.auth(token())).to.deep.equal({
          rpc: 'auth',
          uuid: 'auth',
          error: 'Invalid token',
          code: 'invalid_token',
        })
        expect(await peer.closed).to.deep.equal({ code: 4004, reason: 'Invalid token' })
        const reasons = site.log.flatMap(({ details }) =>
          'reason' in details ? [String(details.reason)] : [],
        )
        expect(reasons).to.have.length(1)
        expect(reasons[0]).to.match(why)
        expect((await (await site.peer()).auth(forge({}))).resp).to.equal('success')
      })
    }
  })

  it('as GRANTS.md shows it is good', async () => {
    const folder = await mkdtemp(joinPath(root, 'node_modules/.grants-'))
    try {
      const text = await readFile(joinPath(root, 'docs/GRANTS.md'), 'utf8')
      const [, code = ''] = /```js sign\.mjs\n([\s\S]*?)```/.exec(text) ?? []
      await writeFile(joinPath(folder, 'sign.mjs'), code)
      const { connectToken, channelToken } = await import(String(pathToFileURL(joinPath(folder, 'sign.mjs'))))
      sinon.stub(process, 'env').value({ ...process.env, APP_KEY: KEY })
      const site = await start()
      const peer = await site.peer()
      const answer = await peer.auth(connectToken({ id: 'jim', name: 'Jim' }))
      expect(answer).to.deep.include({ resp: 'success', uid: 'jim', umd: { name: 'Jim' } })
      expect((await subscribe(peer, 'chat-1')).resp).to.equal(null)
      expect((await publish(peer, 'chat-1', { event: 'chat' })).resp).to.include({ offset: 1 })
      expect((await publish(peer, 'chat-1', { event: 'shout' })).code).to.equal('forbidden')
      expect((await subscribe(peer, 'room')).code).to.equal('forbidden')
      expect((await subscribe(peer, 'room', { token: channelToken(answer.sid, 'room') })).resp).to.equal(null)
      const others = channelToken('another', 'hall')
      expect((await subscribe(peer, 'hall', { token: others })).code).to.equal('invalid_token')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  describe('for a channel', () => {
    const guest = {
      channels: { room: { subscribe: true, messages: { chat: { publish: true, echo: true } } } },
    }
    const forRoom = (connectionId: unknown, more: object = {}) =>
      sign({ scope: 'subscribe', connectionId, ...guest, ...more })

    it('adds rights to the socket that it is for', async () => {
      const site = await start()
      const { peer, sid } = await join(site, CHAT)
      expect((await subscribe(peer, 'room')).code).to.equal('forbidden')
      expect((await subscribe(peer, 'room', { token: forRoom(sid) })).resp).to.equal(null)
      expect((await publish(peer, 'room', { event: 'chat' })).resp).to.have.property('id')
      expect((await subscribe(peer, 'chat-abc123')).resp).to.equal(null)
      expect((await subscribe(peer, 'another')).code).to.equal('forbidden')
    })

    it('gives its rights back if a middleware refuses the subscription after next()', async () => {
      const site = await start()
      const { peer, sid } = await join(site, CHAT)
      const forHall = sign({
        scope: 'subscribe',
        connectionId: sid,
        uid: 'guest-1',
        channels: { hall: { subscribe: true, messages: { chat: { publish: true } } } },
      })
      // Both are decided while both have their rights, so that none of them hides behind the other.
      let begun = 0
      let go = () => {}
      const both = new Promise<void>((resolve) => (go = resolve))
      const undo = site.sockets.use('subscribe', async (_context, next) => {
        await next()
        begun += 1
        if (begun === 2) go()
        await both
        throw new RpcError('not_today')
      })
      const [room, hall] = await Promise.all([
        subscribe(peer, 'room', { token: forRoom(sid) }),
        subscribe(peer, 'hall', { token: forHall }),
      ])
      expect([room.code, hall.code]).to.deep.equal(['not_today', 'not_today'])
      undo()
      for (const channel of ['room', 'hall']) {
        expect((await publish(peer, channel, { event: 'chat' })).code).to.equal('forbidden')
        expect((await subscribe(peer, channel)).code).to.equal('forbidden')
      }
      const again = await subscribe(peer, 'room', { token: forRoom(sid) })
      expect(again.resp, JSON.stringify(again)).to.equal(null)
      expect((await publish(peer, 'room', { event: 'chat' })).resp).to.have.property('id')
      expect((await publish(peer, 'hall', { event: 'chat' })).code).to.equal('forbidden')
    })

    it('says who it is there, and only there', async () => {
      const site = await start()
      const { peer, sid } = await join(site, CHAT)
      await subscribe(peer, 'room', { token: forRoom(sid, { uid: 'guest-1', umd: { name: 'A guest' } }) })
      const { data } = await notice(peer, 'room')
      expect(data).to.deep.include({ uid: 'guest-1', umd: { name: 'A guest' } })
      await publish(peer, 'room', { event: 'chat', data: 'in the room' })
      const said = await peer.find((frame) => frame.message === 'in the room')
      expect(said.meta).to.deep.equal({ uid: 'guest-1', umd: { name: 'A guest' } })
      await subscribe(peer, 'chat-abc123')
      await publish(peer, 'chat-abc123', { event: 'chat', data: 'elsewhere' })
      const other = await peer.find((frame) => frame.message === 'elsewhere')
      expect(other.meta).to.deep.equal({ uid: 'jim', umd: { name: 'Jim' } })
    })

    it('is refused with a channel that it does not speak of: it may say who somebody is', async () => {
      const site = await start()
      const { peer, sid } = await join(site, CHAT)
      const token = forRoom(sid, { uid: 'moderator' })
      expect((await subscribe(peer, 'chat-abc123', { token })).code).to.equal('invalid_token')
      await subscribe(peer, 'chat-abc123')
      await publish(peer, 'chat-abc123', { event: 'chat', data: 'who am I' })
      const { meta } = await peer.find((frame) => frame.message === 'who am I')
      expect(meta).to.deep.include({ uid: 'jim' })
    })

    it('says anew who it is there, and nothing of the one that it was', async () => {
      const site = await start()
      const { peer, sid } = await join(site, CHAT)
      for (const more of [{ uid: 'guest-1', umd: { name: 'A guest' } }, { uid: 'guest-2' }]) {
        await subscribe(peer, 'room', { token: forRoom(sid, more) })
        await publish(peer, 'room', { event: 'chat', data: more.uid })
        const { meta } = await peer.find((frame) => frame.message === more.uid)
        expect(meta).to.deep.equal(more)
        expect(
          await peer.find((frame) => (frame.data as Frame | undefined)?.uid === more.uid),
        ).to.deep.include({
          data: { channel: 'room', ...more },
        })
      }
    })

    it('takes nothing from a socket that may do everything', async () => {
      const site = await start({ authentication: async () => ({ name: 'ann' }) })
      const peer = await site.peer()
      const { sid } = await peer.ask({ rpc: 'auth', token: await site.token(), version: 1 })
      expect((await subscribe(peer, 'room', { token: forRoom(sid) })).resp).to.equal(null)
      expect((await subscribe(peer, 'another')).resp).to.equal(null)
      const no = sign({ scope: 'subscribe', connectionId: sid, channels: { closed: { subscribe: false } } })
      expect((await subscribe(peer, 'closed', { token: no })).code).to.equal('forbidden')
    })

    it('is refused to another socket, and changes nothing there', async () => {
      const site = await start()
      const { sid } = await join(site, CHAT)
      const { peer } = await join(site, CHAT)
      for (const token of [forRoom(sid), forRoom(undefined), sign(CHAT), 'no token']) {
        expect((await subscribe(peer, 'room', { token })).code).to.equal('invalid_token')
      }
      expect((await subscribe(peer, 'room')).code).to.equal('forbidden')
      expect((await subscribe(peer, 'chat-abc123')).resp).to.equal(null)
    })
  })
})
