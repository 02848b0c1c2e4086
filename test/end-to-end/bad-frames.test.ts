import { expect } from 'chai'
import { useSites } from './fixture.js'
import { CARRIERS } from './peer.js'

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  '__defineGetter__',
  'hasOwnProperty',
  '__proto__.toString',
]

describe('bad frames', () => {
  const start = useSites()

  for (const carrier of CARRIERS) {
    describe(`over ${carrier}`, () => {
      it('what is no message is told as an error, and the socket goes on', async () => {
        const site = await start()
        const peer = await site.member(carrier)
        const texts = ['{', 'null', '5', '"text"', '[]', '{}', '{"rpc":5}', '{"uuid":"u"}', '{"rpc":"echo"}']
        peer.sendTexts(...texts)
        expect(await peer.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
        const errors = peer.frames.filter(({ rpc, code }) => rpc === undefined && code === 'bad_message')
        expect(errors).to.have.length(texts.length)
        await site.servesHonestClients()
      })

      it('an unknown function is not_found', async () => {
        const site = await start()
        const peer = await site.member(carrier)
        expect(await peer.ask({ rpc: 'nothing' })).to.include({ rpc: 'nothing', code: 'not_found' })
      })

      it('missing or wrong fields are answered by the field’s name', async () => {
        const site = await start()
        const peer = await site.member(carrier)
        const cases: readonly (readonly [object, string])[] = [
          [{ rpc: '_subscribe' }, 'req'],
          [{ rpc: '_subscribe', req: 'a' }, 'req'],
          [{ rpc: '_subscribe', req: {} }, 'req.channel'],
          [{ rpc: '_unsubscribe', req: { channel: 5 } }, 'req.channel'],
          [{ rpc: '_publish', req: { channel: ['a'], data: 1 } }, 'req.channel'],
          [{ rpc: '_publish', req: { channel: '' } }, 'req.channel'],
          [{ rpc: '_broadcast', req: [] }, 'req'],
          [{ rpc: '' }, 'rpc'],
        ]
        for (const [frame, field] of cases) {
          const { code, error } = await peer.ask({ ...frame })
          expect([code, (error as { data: unknown }).data], JSON.stringify(frame)).to.deep.equal([
            'bad_message',
            { field },
          ])
        }
        await site.servesHonestClients()
      })

      it('names over their limit are too_long', async () => {
        const site = await start()
        const peer = await site.member(carrier)
        const long = 'x'.repeat(257)
        for (const frame of [
          { rpc: long },
          { rpc: '_subscribe', req: { channel: long } },
          { rpc: '_publish', req: { channel: long } },
        ]) {
          expect((await peer.ask(frame)).code).to.equal('too_long')
        }
        peer.send({ rpc: 'echo', uuid: 'x'.repeat(65) })
        await peer.find(({ uuid, code }) => uuid === undefined && code === 'too_long')
        await site.servesHonestClients()
      })

      it('names of what objects inherit are names like any other', async () => {
        const site = await start()
        const peer = await site.member(carrier)
        for (const name of NAMES) {
          expect((await peer.ask({ rpc: name })).code, name).to.equal('not_found')
          expect(await peer.ask({ rpc: 'echo', req: name, uuid: `${name}!` })).to.include({ resp: name })
          expect(await peer.ask({ rpc: 'echo', req: name, uuid: name })).to.include({ resp: name })
          expect(await peer.ask({ rpc: '_subscribe', req: { channel: name } })).to.include({ resp: null })
          await peer.ask({ rpc: '_publish', req: { channel: name, data: name } })
          await peer.find(({ channel, message }) => channel === name && message === name)
        }
        expect(site.sockets.channels()).to.have.members(NAMES)
        await site.servesHonestClients()
      })

      it('keys in data pollute nothing', async () => {
        const site = await start()
        const peer = await site.member(carrier)
        peer.sendTexts(
          '{"rpc":"echo","uuid":"p","req":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
        )
        expect((await peer.find(({ uuid }) => uuid === 'p')).resp).to.have.own.property('__proto__')
        peer.sendTexts('{"__proto__":{"rpc":"echo","uuid":"inherited"}}')
        await peer.find(({ code }) => code === 'bad_message')
        expect(({} as Record<string, unknown>).polluted).to.equal(undefined)
        await site.servesHonestClients()
      })

      it('anything but the token first closes the connection with 4500', async () => {
        const site = await start()
        for (const first of [
          { rpc: 'echo', req: 1, uuid: '1' },
          { rpc: '_subscribe', req: { channel: 'a' }, uuid: '1' },
          { rpc: '_rpc', fid: '1', resp: {} },
          { rpc: 'auth', uuid: '1' },
          { rpc: 'auth', token: 5, uuid: '1' },
          { rpc: 'auth', token: 'x' },
        ]) {
          const peer = await site.peer(carrier)
          peer.send(first)
          expect((await peer.closed).code, JSON.stringify(first)).to.equal(4500)
          expect(peer.frames).to.deep.equal([])
        }
        expect(site.sockets.sockets()).to.deep.equal([])
        await site.servesHonestClients()
      })

      it('what is not of this wire is not heard, and closes with 4500 when the time is over', async () => {
        const site = await start({ authTimeout: 100 })
        const peers = await Promise.all(
          ['text', { event: 'hotsock.subscribe' }].map(async (first) => {
            const peer = await site.peer(carrier)
            peer.send(first, { rpc: 'auth', token: await site.token(), uuid: '1' })
            return peer
          }),
        )
        for (const peer of peers) {
          expect((await peer.closed).code).to.equal(4500)
          expect(peer.frames).to.deep.equal([])
        }
      })

      it('two tokens in one frame let nobody in', async () => {
        const site = await start()
        const peer = await site.peer(carrier)
        const tokens = [await site.token(), await site.token()]
        peer.send(...tokens.map((token) => ({ rpc: 'auth', token, uuid: 'a' })))
        expect((await peer.closed).code).to.equal(4500)
        expect(site.sockets.sockets()).to.deep.equal([])
        await site.servesHonestClients()
      })

      it('a token of a socket that is in is forbidden and changes nothing', async () => {
        const site = await start()
        const peer = await site.member(carrier)
        expect((await peer.auth(await site.token(), 'second')).code).to.equal('forbidden')
        expect(await peer.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
        expect(site.sockets.sockets()).to.have.length(1)
      })

      it('results of calls that nobody made are ignored', async () => {
        const site = await start()
        const peer = await site.member(carrier)
        for (const fid of ['1', '__proto__', 'toString']) {
          peer.send({ rpc: '_rpc', fid, resp: { data: 1 } }, { rpc: '_rpc', fid, resp: { error: 1 } })
        }
        expect(await peer.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
        await site.servesHonestClients()
      })
    })
  }

  for (const carrier of ['sockjs-websocket', 'xhr-polling'] as const) {
    it(`${carrier}: data that is no string is told as errors`, async () => {
      const site = await start()
      const peer = await site.member(carrier)
      peer.sendRaw('[{"a":1},5,null]')
      expect(await peer.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
      expect(peer.frames.filter(({ code }) => code === 'bad_message')).to.have.length(3)
      await site.servesHonestClients()
    })
  }

  it('sockjs-websocket: broken framing closes with 3000', async () => {
    const site = await start()
    const peer = await site.member('sockjs-websocket')
    peer.sendRaw('["unfinished')
    expect((await peer.closed).code).to.equal(3000)
    await site.servesHonestClients()
  })

  it('xhr-polling: broken framing is answered 500', async () => {
    const site = await start()
    const peer = await site.member('xhr-polling')
    peer.sendRaw('["unfinished')
    expect((await peer.closed).code).to.equal(500)
    await site.servesHonestClients()
  })

  it('a binary frame closes with 1003', async () => {
    const site = await start()
    for (const carrier of ['websocket', 'sockjs-websocket'] as const) {
      const peer = await site.member(carrier)
      peer.sendRaw(Buffer.from('{"rpc":"echo"}'))
      expect((await peer.closed).code).to.equal(1003)
    }
    await site.servesHonestClients()
  })

  it('a session named __proto__ is 404, at once', async () => {
    const site = await start()
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const response = await fetch(`${site.url}/sockets/000/${name}/xhr`, { method: 'POST' })
      expect(response.status, name).to.equal(404)
    }
    await site.servesHonestClients()
  })

  it('nobody speaks for somebody else’s polling session', async () => {
    const site = await start({ origins: '*' })
    const url = `${site.url}/sockets/000/mine`
    await fetch(`${url}/xhr`, { method: 'POST' })
    const init = { method: 'POST', body: '["{}"]', headers: { Origin: 'https://evil.example' } }
    expect((await fetch(`${url}/xhr_send`, init)).status).to.equal(404)
    expect((await fetch(`${url}/xhr`, init)).status).to.equal(404)
    expect((await fetch(`${url}/xhr_send`, { ...init, headers: {} })).status).to.equal(204)
  })
})
