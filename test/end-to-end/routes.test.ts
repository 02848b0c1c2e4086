import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import express, { type Express, type RequestHandler } from 'express'
import express4 from 'express4'
import { rejection, useSites } from './fixture.js'

const VERSIONS: Readonly<Record<string, () => Express>> = {
  'Express 4': express4 as unknown as () => Express,
  'Express 5': express,
}

for (const [version, makeApp] of Object.entries(VERSIONS)) {
  describe(`the \`routes\` option with ${version}`, () => {
    const startSite = useSites()
    const start = (routes: Record<string, RequestHandler | Record<string, RequestHandler>>) =>
      startSite({ app: makeApp(), routes, limits: { callTimeout: 1000 } })
    const call = async (handler: RequestHandler, data?: unknown) =>
      (await (await start({ one: handler })).ready()).rpc('one', data)

    it('gives the call’s data as req.query, req.body and req.params', async () => {
      const answer = await call((req, res) => void res.json({ got: [req.query, req.body, req.params] }), {
        id: 7,
      })
      expect(answer).to.deep.include({ got: [{ id: 7 }, { id: 7 }, { id: 7 }] })
    })

    it('gives socket.auth as req.user and req.session', async () => {
      const answer = await call((req, res) => {
        const { user, session } = req as unknown as Record<string, unknown>
        res.json({ user, session })
      })
      expect(answer).to.deep.include({ user: { name: 'ann' }, session: { name: 'ann' } })
    })

    it('gives the socket’s address as req.ip and its host as req.hostname', async () => {
      const answer = await call((req, res) => void res.json({ ip: req.ip, host: req.hostname }))
      expect(answer).to.have.property('host', '127.0.0.1')
      expect(answer)
        .to.have.property('ip')
        .that.matches(/127\.0\.0\.1$/)
    })

    it('gives headers by req.get, and the rest of Express', async () => {
      const answer = await call((req, res) => {
        res.json({
          type: req.get('content-type'),
          json: Boolean(req.accepts('json')),
          method: req.method,
          path: req.path,
          app: typeof req.app.get,
        })
      })
      expect(answer).to.deep.include({
        type: 'application/json',
        json: true,
        method: 'POST',
        path: '/one',
        app: 'function',
      })
    })

    it('answers with res.json, the status as _code and the headers as _headers', async () => {
      const answer = (await call((_req, res) => {
        res.status(201).set('X-Made', 'yes').json({ id: 1 })
      })) as Record<string, unknown>
      expect(answer).to.include({ id: 1, _code: 201 })
      expect(answer._headers).to.include({ 'x-made': 'yes' })
    })

    it('answers with res.send, text or object', async () => {
      expect(await call((_req, res) => void res.send('text'))).to.equal('text')
      expect(await call((_req, res) => void res.send({ a: 1 }))).to.include({ a: 1 })
    })

    it('answers a list as a list', async () => {
      expect(await call((_req, res) => void res.json([1, 2]))).to.deep.equal([1, 2])
    })

    it('a status of 300 or more is an error: the body’s error, or the body', async () => {
      const error = await rejection(call((_req, res) => void res.status(402).json({ error: 'No money' })))
      expect(error.message).to.equal('No money')
      expect((await rejection(call((_req, res) => void res.status(404).send('None')))).message).to.equal(
        'None',
      )
      expect((await rejection(call((_req, res) => void res.status(500).end()))).message).to.equal(
        'Status 500',
      )
    })

    it('next(error) is `internal`, and the cause is told as an error event', async () => {
      const site = await start({ one: (_req, _res, next) => next(new Error('the password is 1234')) })
      const error = await rejection((await site.ready()).rpc('one'))
      expect([error.code, error.message]).to.deep.equal(['internal', 'Internal error'])
      expect(site.failures.map(({ cause }) => String(cause))).to.deep.equal(['Error: the password is 1234'])
    })

    it('next(error) is `internal` too if the error is no Error', async () => {
      for (const cause of ['no', { status: 400 }]) {
        expect((await rejection(call((_req, _res, next) => next(cause)))).code).to.equal('internal')
      }
    })

    it('next(RpcError) reaches the caller whole', async () => {
      const error = await rejection(
        call((_req, _res, next) => next(new RpcError('sold_out', 'Gone', { left: 0 }))),
      )
      expect(error).to.deep.include({ code: 'sold_out', message: 'Gone', data: { left: 0 } })
    })

    it('next() and next("route") are not_found', async () => {
      expect((await rejection(call((_req, _res, next) => next()))).code).to.equal('not_found')
      expect((await rejection(call((_req, _res, next) => next('route')))).code).to.equal('not_found')
    })

    it('a handler that throws, and an async one that rejects, are `internal`', async () => {
      const sync = call(() => {
        throw new Error('sync')
      })
      expect((await rejection(sync)).code).to.equal('internal')
      const rejected = call(async () => {
        throw new Error('async')
      })
      expect((await rejection(rejected)).code).to.equal('internal')
    })

    it('an async handler answers when it is done', async () => {
      const answer = call(async (_req, res) => {
        await new Promise(setImmediate)
        res.json({ late: true })
      })
      expect(await answer).to.include({ late: true })
    })

    it('a handler that never answers is a timeout', async () => {
      expect((await rejection(call(() => {}))).code).to.equal('timeout')
    })

    it('an answer that JSON cannot carry is `internal`', async () => {
      expect((await rejection(call((_req, res) => void res.json(1n)))).code).to.equal('internal')
    })

    it('are found by nested names, before the controller, and by own names only', async () => {
      const site = await start({
        echo: (_req, res) => void res.send('route'),
        user: { read: (_req, res) => void res.send('ann') },
      })
      const client = await site.ready()
      expect(await client.rpc('echo', 1)).to.equal('route')
      expect(await client.rpc('user.read')).to.equal('ann')
      for (const name of ['user', 'user.toString', '__proto__.toString', 'constructor']) {
        expect((await rejection(client.rpc(name))).code, name).to.equal('not_found')
      }
      expect(await client.rpc('whoami')).to.deep.equal({ name: 'ann' })
    })

    it('change nothing for ordinary requests', async () => {
      const app = makeApp()
      const before = describePrototypes(app)
      const handler: RequestHandler = (req, res) =>
        void res.json({ body: req.body ?? null, query: req.query })
      const site = await startSite({ app, routes: { one: handler } })
      app.get('/one', handler)
      const get = async () => (await fetch(`${site.url}/one?a=1`)).json()
      expect(await get()).to.deep.equal({ body: null, query: { a: '1' } })
      await (await site.ready()).rpc('one', { id: 7 })
      expect(await get()).to.deep.equal({ body: null, query: { a: '1' } })
      expect(describePrototypes(app)).to.deep.equal(before)
      await site.servesHonestClients()
    })
  })
}

/** The names on the prototypes of an application's requests and responses, all the way up. */
function describePrototypes({ request, response }: Express): string[][] {
  const chain = (object: object | null): string[] =>
    object === null || object === Object.prototype
      ? []
      : [Object.getOwnPropertyNames(object).sort().join(), ...chain(Object.getPrototypeOf(object))]
  return [chain(request), chain(response)]
}
