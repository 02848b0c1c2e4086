import { createServer } from 'node:http'
import { type Engine, MemoryEngine, type Publisher, publisher, TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import sinon from 'sinon'
import { rejection } from '../protocol/rejection.js'

const RULES = { 'kept-*': { history: { size: 2, ttl: 60_000 } } }

/** An engine of one process that says it was shared: what a publisher does with it can be seen. */
function sharedEngine() {
  const memory = new MemoryEngine()
  const nodes = Object.assign(Object.create(memory.nodes), { withdraw: sinon.spy() })
  const close = sinon.spy(() => memory.close())
  const { broker, history, presence, tickets } = memory
  return { name: 'test', shared: true, broker, history, presence, tickets, nodes, close } satisfies Engine
}

describe('publisher', () => {
  const logger = { debug: sinon.spy(), info: sinon.spy(), warn: sinon.spy(), error: sinon.spy() }
  let engine: ReturnType<typeof sharedEngine>
  let own: Publisher

  beforeEach(() => {
    for (const spy of Object.values(logger)) spy.resetHistory()
    engine = sharedEngine()
    own = publisher({ engine, channels: RULES, logger })
  })

  afterEach(() => own.close())

  it('takes the process out of the nodes', () => {
    expect(engine.nodes.withdraw.callCount).to.equal(1)
  })

  describe('#publish', () => {
    it('keeps what the rules say, numbered', async () => {
      for (const data of [1, 2, 3]) await own.publish('kept-a', data)
      const { position, publications } = await engine.history.read('kept-a', { limit: 9 })
      expect(position.offset).to.equal(3)
      expect(publications.map(({ json, offset }) => [json, offset])).to.deep.equal([
        ['2', 2],
        ['3', 3],
      ])
    })

    it('keeps nothing without a rule, unless `store` says so', async () => {
      expect((await own.publish('loose', 1)).offset).to.equal(undefined)
      expect((await own.publish('loose', 1, { store: 1000 })).offset).to.equal(1)
    })

    it('publishes once with a key', async () => {
      const first = await own.publish('kept-a', 1, { idempotencyKey: 'k' })
      expect(await own.publish('kept-a', 2, { idempotencyKey: 'k' })).to.deep.equal(first)
    })

    const circular: { self?: unknown } = {}
    circular.self = circular
    for (const [what, args, code] of [
      ['a channel that is no name', [''], 'bad_message'],
      ['a channel that is too long', ['x'.repeat(300)], 'too_long'],
      ['an event that is too long', ['a', 1, { event: 'x'.repeat(300) }], 'too_long'],
      ['a key that is too long', ['a', 1, { idempotencyKey: 'x'.repeat(300) }], 'too_long'],
      ['data that is no JSON', ['a', circular], 'unserializable'],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const error = await rejection(own.publish(...(args as unknown as Parameters<Publisher['publish']>)))
        expect(error.code).to.equal(code)
      })
    }

    it('logs a failure, which ends no process if it is left alone', async () => {
      void own.publish('', 1)
      await new Promise(setImmediate)
      expect(logger.error.callCount).to.equal(1)
      expect(logger.error.args[0]?.[0]).to.include({ method: 'publish' })
    })
  })

  it('reads pages of 100 publications, unless the query says otherwise', async () => {
    const rules = { all: { history: { ttl: 60_000 } } }
    const all = publisher({ engine: sharedEngine(), channels: rules, logger })
    for (let number = 1; number <= 101; number += 1) await all.publish('all', number)
    expect((await all.history('all')).publications).to.have.length(100)
    expect((await all.history('all', { limit: undefined } as object)).publications).to.have.length(100)
    expect((await all.history('all', { limit: 101 })).publications).to.have.length(101)
    await all.close()
  })

  it('names the members of a channel', async () => {
    await engine.presence.enter({ channel: 'a', sid: 's', uid: 'ann', umd: '{"age":7}' }, 9)
    expect(await own.members('a')).to.deep.equal([{ uid: 'ann', umd: { age: 7 } }])
    expect((await rejection(own.members(''))).code).to.equal('bad_message')
  })

  it('broadcasts', async () => {
    const heard: string[] = []
    const ignored = { publication: () => {}, command: () => {}, presence: () => {} }
    engine.broker.listen({ ...ignored, broadcast: (json) => heard.push(json) })
    await own.broadcast({ all: true })
    expect(heard).to.deep.equal(['{"all":true}'])
  })

  it('closes the engine once', async () => {
    expect(own.close()).to.equal(own.close())
    await own.close()
    expect(engine.close.callCount).to.equal(1)
  })

  for (const [what, options, field] of [
    ['no options', undefined, 'options'],
    ['no engine', {}, 'engine'],
    ['an engine that is none', { engine: {} }, 'engine'],
    ['an engine of one process', { engine: new MemoryEngine() }, 'engine'],
    [
      'a rule that is none',
      { engine: sharedEngine(), channels: { a: { history: { ttl: -1 } } } },
      'channels["a"].history.ttl',
    ],
    ['a logger that is none', { engine: sharedEngine(), logger: {} }, 'logger'],
  ] as const) {
    it(`refuses ${what}`, () => {
      const make = () => publisher(options as unknown as Parameters<typeof publisher>[0])
      expect(make)
        .to.throw()
        .that.deep.includes({ code: 'bad_option' })
        .and.nested.property('data.field', field)
    })
  }

  it('refuses an engine that another publisher, or a server, has; and a server refuses a publisher’s', async () => {
    const refused = (make: () => unknown, by: string) =>
      expect(make)
        .to.throw(`engine is a ${by}'s already`)
        .that.deep.includes({ code: 'bad_option', data: { field: 'engine' } })
    refused(() => publisher({ engine, logger }), 'publisher')
    const app = express()
    const serve = (one: Engine, prefix: string) =>
      new TokenSocketServer({
        app,
        server: createServer(app),
        engine: one,
        secret: 's'.repeat(32),
        logger,
        prefix,
      })
    refused(() => serve(engine, '/a'), 'publisher')
    const others = sharedEngine()
    const server = serve(others, '/b')
    refused(() => publisher({ engine: others, logger }), 'server')
    expect(others.nodes.withdraw.callCount).to.equal(0)
    await server.shutdown()
  })

  it('says that it is closed to what is called after that', async () => {
    await own.close()
    for (const call of [
      () => own.publish('a', 1),
      () => own.broadcast(1),
      () => own.history('a'),
      () => own.members('a'),
    ]) {
      const error = await rejection(call())
      expect([error.code, error.message]).to.deep.equal(['shutting_down', 'The publisher is closed'])
    }
  })

  it('warns in development of data that JSON changes', async () => {
    await own.publish('a', new Map([[1, 2]]))
    await own.broadcast(Number.NaN)
    expect(logger.warn.args.map(([, line]) => line)).to.deep.equal([
      'JSON changes a publication: data is a Map',
      'JSON changes a broadcast: data is NaN',
    ])
  })

  it('says what reaches further than the memory engine', () => {
    expect(() => publisher({ engine: new MemoryEngine() })).to.throw(/"memory".*Redis/)
  })

  it('warns of an option that it does not know', () => {
    publisher({ engine: sharedEngine(), logger, rules: {} } as Parameters<typeof publisher>[0])
    expect(logger.warn.args[0]?.[0]).to.deep.equal({ option: 'rules' })
  })
})
