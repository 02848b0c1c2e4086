import { once } from 'node:events'
import { request } from 'node:http'
import { expect } from 'chai'
import { deferred, rejection, until, useSites } from './fixture.js'
import { openReader } from './peer.js'

describe('limits of the server', () => {
  const start = useSites()

  it('a client waits as long as the token route says', async () => {
    const site = await start({ limits: { tokenRequestsPerAddress: 1 } })
    expect((await site.askToken()).status).to.equal(200)
    const client = site.client()
    await until(() => client.status.state === 'waiting')
    const { error, delay = 0 } = client.status
    expect(error).to.deep.include({ code: 'token_failed', data: { retryAfter: 1000 } })
    expect(delay).to.be.within(900, 1100)
    await client.ready()
  })

  describe('the `limits.message` option', () => {
    const limits = { message: 1000 }
    const large = { rpc: 'echo', req: 'x'.repeat(1001), uuid: 'large' }

    for (const carrier of ['websocket', 'sockjs-websocket'] as const) {
      it(`closes a ${carrier} with 1009 that sends a larger frame`, async () => {
        const site = await start({ limits })
        const peer = await site.member(carrier)
        peer.send(large)
        expect((await peer.closed).code).to.equal(1009)
        await site.servesHonestClients()
      })
    }

    it('answers a larger xhr_send with 413, and the session goes on', async () => {
      const site = await start({ limits })
      const peer = await site.member('xhr-polling')
      const url = `${site.url}/sockets/000/abc`
      await fetch(`${url}/xhr`, { method: 'POST' })
      const response = await fetch(`${url}/xhr_send`, { method: 'POST', body: JSON.stringify([large]) })
      expect([response.status, await response.text()]).to.deep.equal([413, 'Too large (limit 1000 bytes)\n'])
      expect(await peer.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
      await site.servesHonestClients()
    })

    it('counts what comes in chunks, without a Content-Length', async () => {
      const site = await start({ limits })
      const url = `${site.url}/sockets/000/abc`
      await fetch(`${url}/xhr`, { method: 'POST' })
      const auth = JSON.stringify({ rpc: 'auth', token: await site.token(), uuid: '1' })
      await fetch(`${url}/xhr_send`, { method: 'POST', body: JSON.stringify([auth]) })
      expect(await (await fetch(`${url}/xhr`, { method: 'POST' })).text()).to.include('success')
      const { promise: status, resolve } = deferred<number | undefined>()
      const sending = request(`${url}/xhr_send`, { method: 'POST' }, (response) =>
        resolve(response.statusCode),
      )
      const closed = once(sending, 'close')
      sending.on('error', () => {})
      // Three times 64 KiB are for small messages that share a body.
      for (let count = 0; count < 7; count += 1) sending.write('x'.repeat(30_000))
      expect(await status).to.equal(413)
      await closed
      await site.servesHonestClients()
    })

    it('leaves a message of that size alone', async () => {
      const site = await start({ limits: { message: 1000 } })
      const peer = await site.member()
      const frame = (text: string) => JSON.stringify({ rpc: 'echo', req: text, uuid: 'just' })
      const text = 'x'.repeat(1000 - frame('').length)
      peer.sendTexts(frame(text))
      expect(await peer.find(({ uuid }) => uuid === 'just')).to.include({ resp: text })
    })

    it('refuses a client’s call that is larger before it is sent; nothing else is lost', async () => {
      const site = await start({ limits })
      const client = await site.ready()
      await client.subscribe('news')
      let losses = 0
      client.on('disconnect', () => {
        losses += 1
      })
      const error = await rejection(client.rpc('echo', 'x'.repeat(1000)))
      expect([error.code, error.data]).to.deep.equal([
        'too_large',
        { field: 'limits.message of echo', limit: 1000 },
      ])
      expect(await client.rpc('echo', 1)).to.equal(1)
      expect(losses).to.equal(0)
      expect(site.sockets.channelSockets('news')).to.have.length(1)
    })
  })

  describe('the `limits.authMessage` option', () => {
    it('closes a connection whose first message is longer', async () => {
      const site = await start({ limits: { authMessage: 50 } })
      const peer = await site.peer()
      peer.send({ rpc: 'auth', token: 'x'.repeat(50), uuid: '1' })
      expect((await peer.closed).code).to.equal(4501)
    })
  })

  describe('the `limits.outbox` option', () => {
    for (const carrier of ['websocket', 'xhr-polling'] as const) {
      it(`closes a ${carrier} reader that does not read; the others never notice`, async () => {
        const site = await start({ limits: { outbox: 50_000 } })
        const reader = await site.ready()
        await reader.subscribe('flood')
        let count = 0
        reader.on('message', () => {
          count += 1
        })
        const token = await site.token()
        let stop = () => {}
        if (carrier === 'websocket') {
          const peer = openReader(`${site.url}/sockets`)
          await peer.opened
          await peer.auth(token)
          await peer.ask({ rpc: '_subscribe', req: { channel: 'flood' } })
          peer.pause()
          stop = () => peer.destroy()
        } else {
          const url = `${site.url}/sockets/000/abc`
          const post = (path: string, messages: readonly object[]) =>
            fetch(`${url}/${path}`, {
              method: 'POST',
              body: JSON.stringify(messages.map((one) => JSON.stringify(one))),
            })
          await post('xhr', [])
          await post('xhr_send', [{ rpc: 'auth', token, uuid: '1' }])
          await until(() => site.sockets.sockets().length === 2)
          await post('xhr_send', [{ rpc: '_subscribe', req: { channel: 'flood' }, uuid: '2' }])
        }
        await until(() => site.sockets.channelSockets('flood').length === 2)
        let sent = 0
        // The kernel takes some megabytes before the reader's buffer counts as full.
        while (site.sockets.channelSockets('flood').length === 2) {
          await site.sockets.publish('flood', 'x'.repeat(10_000))
          sent += 1
          await reader.rpc('echo')
        }
        await reader.rpc('echo')
        expect(count).to.equal(sent)
        stop()
        await site.servesHonestClients()
      })
    }

    it('tells a reader that reads again why it was closed', async () => {
      const site = await start({ limits: { outbox: 50_000 } })
      const peer = openReader(`${site.url}/sockets`)
      await peer.opened
      await peer.auth(await site.token())
      peer.pause()
      const [socket] = site.sockets.sockets()
      while (socket && !socket.isClosed) {
        void socket.rpc('take', 'x'.repeat(10_000))
        await new Promise(setImmediate)
      }
      peer.resume()
      expect((await peer.closed).code).to.equal(4002)
    })
  })

  describe('the `limits.callsIn` option', () => {
    it('answers one call more with too_many_calls, and takes the next when one is done', async () => {
      const gate = deferred()
      const site = await start({
        limits: { callsIn: 2 },
        socketController: { wait: () => gate.promise, echo: (_auth: unknown, data: unknown) => data },
      })
      const client = await site.ready()
      const waiting = [client.rpc('wait'), client.rpc('wait')]
      const error = await rejection(client.rpc('echo', 1))
      expect([error.code, error.data]).to.deep.equal(['too_many_calls', { field: 'calls', limit: 2 }])
      gate.resolve()
      await Promise.all(waiting)
      expect(await client.rpc('echo', 1)).to.equal(1)
    })

    it('counts each socket on its own', async () => {
      const site = await start({ limits: { callsIn: 1 } })
      const [greedy, other] = [await site.ready(), await site.ready()]
      void greedy.rpc('hang')
      expect((await rejection(greedy.rpc('echo'))).code).to.equal('too_many_calls')
      expect(await other.rpc('echo', 1)).to.equal(1)
    })
  })

  describe('the `limits.rate` option', () => {
    it('answers what is too much in a second with too_many_messages, and takes more in the next', async () => {
      const site = await start({ limits: { rate: 3 } })
      const client = await site.ready()
      const answers = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => client.rpc('echo', n)))
      const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
      expect(refused.length).to.be.within(1, 2)
      for (const error of refused)
        expect([error.code, error.data]).to.deep.equal(['too_many_messages', { field: 'rate', limit: 3 }])
      let answer: unknown
      while (answer !== 6) answer = await client.rpc('echo', 6).catch(() => undefined)
    })

    it('counts each socket on its own, and no answers to calls of the server', async () => {
      const site = await start({ limits: { rate: 1 } })
      const { client, socket } = await site.pair({}, { echo: (data) => data })
      const other = await site.ready()
      for (const n of [1, 2, 3]) expect(await socket.rpc('echo', n)).to.equal(n)
      expect(await client.rpc('echo', 1)).to.equal(1)
      expect(await other.rpc('echo', 1)).to.equal(1)
    })
  })

  describe('the `limits.callsOut` option', () => {
    it('fails one call more to the same client', async () => {
      const site = await start({ limits: { callsOut: 1 } })
      const { socket } = await site.pair({}, { hang: (_data, _callback) => {} })
      const first = socket.rpc('hang', null, { timeout: 50 })
      expect((await rejection(socket.rpc('hang'))).code).to.equal('too_many_calls')
      expect((await rejection(first)).code).to.equal('timeout')
    })
  })

  describe('the `limits.callTimeout` option', () => {
    it('answers a call whose handler does not', async () => {
      const site = await start({ limits: { callTimeout: 30 } })
      const client = await site.ready()
      expect((await rejection(client.rpc('hang'))).code).to.equal('timeout')
      await site.servesHonestClients()
    })

    it('fails a call that the client does not answer', async () => {
      const site = await start({ limits: { callTimeout: 30 } })
      const { socket } = await site.pair({}, { hang: (_data, _callback) => {} })
      expect((await rejection(socket.rpc('hang'))).code).to.equal('timeout')
    })
  })

  describe('the `limits.subscriptions` option', () => {
    it('refuses one channel more, and takes another for one that was left', async () => {
      const site = await start({ limits: { subscriptions: 2 } })
      const client = await site.ready()
      await Promise.all([client.subscribe('a'), client.subscribe('b')])
      const error = await rejection(client.subscribe('c'))
      expect([error.code, error.data]).to.deep.equal([
        'too_many_subscriptions',
        { field: 'subscriptions', limit: 2 },
      ])
      expect(site.sockets.channels()).to.have.members(['a', 'b'])
      await client.unsubscribe('a')
      await client.subscribe('c')
      expect(site.sockets.channels()).to.have.members(['b', 'c'])
    })

    it('holds for many requests at once', async () => {
      const site = await start({ limits: { subscriptions: 5 } })
      const client = await site.ready()
      const names = Array.from({ length: 50 }, (_, index) => `channel-${index}`)
      const outcomes = await Promise.allSettled(names.map((name) => client.subscribe(name)))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(5)
      expect(site.sockets.channels()).to.have.length(5)
    })
  })

  describe('the `limits.vetoTimeout` option', () => {
    it('refuses what a listener does not answer in time', async () => {
      const site = await start({ limits: { vetoTimeout: 30 } })
      site.sockets.on('subscribe', (_socket, _data, _callback) => {})
      const error = await rejection((await site.ready()).subscribe('news'))
      expect([error.code, error.data]).to.deep.equal(['veto_timeout', { field: 'vetoTimeout', limit: 30 }])
    })
  })

  describe('the `limits.authenticationTimeout` option', () => {
    it('answers 500 when `authentication` does not answer in time', async () => {
      const site = await start({
        limits: { authenticationTimeout: 30 },
        authentication: (_request: unknown, _callback: unknown) => {},
      })
      expect((await site.askToken()).status).to.equal(500)
    })
  })

  it('each has to be a number above 0', async () => {
    for (const limit of ['message', 'outbox', 'callsIn', 'vetoTimeout']) {
      const error = await rejection(start({ limits: { [limit]: 0 } }))
      expect(error.data).to.deep.equal({ field: `limits.${limit}` })
    }
  })
})
