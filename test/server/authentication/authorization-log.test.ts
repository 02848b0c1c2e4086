import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon, { type SinonFakeTimers } from 'sinon'
import { AuthorizationLog, type AuthorizationLogOwner } from '#server/authentication/authorization-log.js'
import { type AuthorizationOrder, LOG_CHANNEL } from '#server/authentication/authorization-order.js'
import { turn, until } from '../../client/waiting.js'
import { deferred } from '../../end-to-end/fixture.js'
import { rejection } from '../../protocol/rejection.js'
import { LogEngine } from './log-engine.js'

const STALENESS = 30_000

describe('AuthorizationLog', () => {
  let clock: SinonFakeTimers
  /** Milliseconds for which the process was stopped: its timers have not run. */
  let stopped: number
  let engine: LogEngine
  /** What was done, in order: ids of orders, `late` if they were, and what was delivered. */
  let done: string[]
  let apply: sinon.SinonStub<Parameters<AuthorizationLogOwner['apply']>, Promise<number>>
  let closeAll: sinon.SinonStub<[], Promise<void>>
  let made = 0
  const logs: AuthorizationLog[] = []

  beforeEach(() => {
    clock = sinon.useFakeTimers({ now: 1_000_000, toFake: ['setTimeout', 'clearTimeout'] })
    stopped = 0
    sinon.stub(performance, 'now').callsFake(() => clock.now + stopped)
    engine = new LogEngine()
    done = []
    apply = sinon.stub()
    apply.callsFake(async ({ id }, { isLate }) => {
      done.push(isLate ? `${id} late` : id)
      return 1
    })
    closeAll = sinon.stub()
    closeAll.resolves()
  })

  afterEach(() => {
    for (const log of logs.splice(0)) log.close()
    sinon.restore()
  })

  const order = (more: Partial<AuthorizationOrder> = {}): AuthorizationOrder => ({
    id: `order ${++made}`,
    type: 'revoke',
    who: { uid: 'ann' },
    at: 1_000_000,
    ...more,
  })

  const add = (value: unknown) => engine.add({ channel: LOG_CHANNEL, json: JSON.stringify(value) })
  const keptIds = () => engine.kept.map(({ json }) => JSON.parse(json).id)
  const settle = async () => {
    for (let turns = 0; turns < 10; turns += 1) await turn()
  }

  /** The engine was away for a moment. */
  async function comeBack(): Promise<void> {
    engine.isAway = true
    await settle()
    engine.isAway = false
    await settle()
  }

  async function start(options: Partial<AuthorizationLogOwner> = {}): Promise<AuthorizationLog> {
    const log = new AuthorizationLog({
      engine,
      limits: { revocations: 1000 },
      revocationTtl: 3_600_000,
      revocationStaleness: STALENESS,
      closeWhenStale: false,
      apply: (...args) => apply(...args),
      closeAll: () => closeAll(),
      failed: () => {},
      ...options,
    })
    logs.push(log)
    const deliver = (json: string) => done.push(json)
    log.broker.listen({
      publication: ({ json }) => void deliver(json),
      broadcast: (json) => void deliver(json),
      command: () => {},
      presence: () => {},
    })
    log.start()
    await settle()
    return log
  }

  describe('reading', () => {
    it('does what the log has, in its order, over many pages', async () => {
      const orders = Array.from({ length: 1203 }, () => order({ who: { jti: String(made) } }))
      for (const one of orders) add(one)
      await start({ limits: { revocations: 10_000 } })
      await until(() => done.length === orders.length)
      expect(done).to.deep.equal(orders.map(({ id }) => `${id} late`))
      expect(engine.reads).to.deep.equal([0, 500, 1000])
      expect(closeAll.called).to.equal(false)
    })

    it('leaves out what is none of its orders', async () => {
      for (const value of [null, 5, {}, { ...order(), type: 'other' }, { ...order(), who: { uid: 5 } }])
        add(value)
      const good = order()
      add(good)
      await start()
      expect(done).to.deep.equal([`${good.id} late`])
    })

    it('goes on after what it has read', async () => {
      for (let count = 0; count < 3; count += 1) add(order())
      await start()
      engine.isDeaf = true
      const missed = order()
      add(missed)
      await clock.tickAsync(5500)
      await settle()
      expect(engine.reads).to.deep.equal([0, 3])
      expect(done.at(-1)).to.equal(`${missed.id} late`)
    })

    it('reads nothing while nothing was added', async () => {
      add(order())
      await start()
      await clock.tickAsync(60_000)
      expect(engine.reads).to.deep.equal([0])
    })

    it('does an order that it hears at once, and reads what came before it and was not heard', async () => {
      await start()
      const [missed, heard] = [order({ who: { uid: 'bob' } }), order()]
      engine.isDeaf = true
      add(missed)
      engine.isDeaf = false
      add(heard)
      expect(done).to.deep.equal([heard.id])
      await settle()
      expect(done).to.deep.equal([heard.id, `${missed.id} late`])
    })

    for (const [what, trim] of [
      ['the next ones', () => engine.kept.splice(1, 2)],
      ['one between others', () => engine.kept.splice(3, 1)],
      ['the last ones', () => engine.kept.splice(3)],
      ['all that it has not read', () => engine.kept.splice(0)],
    ] as const)
      it(`closes all sockets if ${what} are not kept any longer`, async () => {
        add(order())
        await start()
        engine.isDeaf = true
        for (let count = 0; count < 4; count += 1) add(order())
        trim()
        await clock.tickAsync(5500)
        await settle()
        expect(closeAll.callCount).to.equal(1)
        await clock.tickAsync(60_000)
        expect(closeAll.callCount).to.equal(1)
      })

    it('begins anew if more was missed while it read', async () => {
      const log = await start()
      const gate = deferred()
      engine.gate = gate.promise
      const [first, second] = [order(), order({ who: { jti: 'a' } })]
      engine.isDeaf = true
      add(first)
      stopped += 5000
      const checked = rejection(log.check({ jti: 'a' }))
      await settle()
      add(second)
      stopped += 5000
      engine.deliver('held')
      gate.resolve()
      expect(await checked).to.include({ code: 'invalid_token' })
      expect(done).to.deep.equal([`${first.id} late`, `${second.id} late`, 'held'])
    })

    it('comes before a token is compared, if the process was stopped', async () => {
      const log = await start()
      engine.isDeaf = true
      add(order())
      stopped += 5000
      expect(await rejection(log.check({ uid: 'ann' }))).to.include({ code: 'invalid_token' })
    })

    it('closes none at the start, however much was kept once', async () => {
      for (let count = 0; count < 4; count += 1) add(order())
      engine.kept.splice(0, 3)
      await start()
      expect([done.length, closeAll.called]).to.deep.equal([1, false])
    })
  })

  describe('#take and #give', () => {
    it('do an order once: given here, heard, and read again', async () => {
      const log = await start()
      const one = order()
      const { applied, kept } = log.give(one)
      expect(done).to.deep.equal([one.id])
      await kept
      expect(await log.take(one)).to.equal(await applied)
      await comeBack()
      expect([done, keptIds()]).to.deep.equal([[one.id], [one.id]])
    })

    it('leave out an authorisation that a later one has replaced', async () => {
      const log = await start()
      const who = { uid: 'ann' }
      const later = order({ type: 'reauthorize', who, at: 2_000_000 })
      expect(await log.take(later)).to.equal(1)
      expect(await log.take(order({ type: 'reauthorize', who, at: 1_500_000 }))).to.equal(0)
      expect(await log.take(order({ type: 'reauthorize', who: { uid: 'bob' }, at: 1_500_000 }))).to.equal(1)
      expect(done[0]).to.equal(`${later.id} late`)
      expect(done).to.have.length(2)
    })

    it('do an order that has no room, keep nothing, and say so', async () => {
      const log = await start({ limits: { revocations: 1 } })
      await log.give(order()).kept
      const full = log.give(order())
      expect(full.order.isKept).to.equal(false)
      expect(await full.applied).to.equal(1)
      expect(await rejection(full.kept)).to.include({ code: 'too_many_revocations' })
      // Neither does a node that is asked to do it.
      await log.take(full.order)
      expect([done.length, engine.kept.length]).to.deep.equal([3, 1])
    })

    it('keep those about users, and revocations, as long as they were told to, others for ten minutes', async () => {
      const log = await start({ revocationTtl: 3_600_000 })
      for (const type of ['revoke', 'reauthorize', 'refresh'] as const) {
        await log.give(order({ type, who: { uid: 'ann' } })).kept
        await log.give(order({ type, who: { sid: 'one' } })).kept
      }
      expect(engine.published.map(({ retention }) => retention?.ttl)).to.deep.equal([
        3_600_000, 3_600_000, 3_600_000, 600_000, 3_600_000, 600_000,
      ])
      expect(engine.published.every(({ retention }) => retention?.isReserved)).to.equal(true)
    })

    it('reject with what an order itself does', async () => {
      const log = await start()
      apply.rejects(new RpcError('identity_changed'))
      expect(await rejection(log.give(order()).applied)).to.include({ code: 'identity_changed' })
    })
  })

  describe('while the engine is away', () => {
    it('does orders here at once, says so, and has them kept in their order when it is back', async () => {
      const log = await start()
      engine.isAway = true
      const orders = [order(), order(), order()]
      for (const one of orders) {
        const { applied, kept } = log.give(one)
        expect(await applied).to.equal(1)
        const error = await rejection(kept)
        expect(error).to.include({ code: 'engine_unavailable' })
        expect(error.message).to.match(/sockets of this node are dealt with/)
      }
      expect(keptIds()).to.deep.equal([])
      engine.isAway = false
      await settle()
      expect(keptIds()).to.deep.equal(orders.map(({ id }) => id))
      await clock.tickAsync(60_000)
      expect(keptIds()).to.have.length(3)
      expect(done).to.deep.equal(orders.map(({ id }) => id))
    })

    it('tries again until an engine that says nothing of its health is back', async () => {
      const { broker, history } = engine
      const log = await start({ engine: { shared: true, broker, history } })
      engine.isAway = true
      const one = order()
      await rejection(log.give(one).kept)
      await clock.tickAsync(3000)
      engine.isAway = false
      expect(keptIds()).to.deep.equal([])
      await clock.tickAsync(600)
      await settle()
      expect(keptIds()).to.deep.equal([one.id])
    })

    it('tries again while the log can be read, and not written', async () => {
      const log = await start()
      const publish = sinon.stub(engine.broker, 'publish').rejects(new RpcError('engine_unavailable'))
      const orders = [order(), order()]
      for (const one of orders) await rejection(log.give(one).kept)
      await clock.tickAsync(20_000)
      expect([keptIds(), publish.callCount > 10]).to.deep.equal([[], true])
      publish.restore()
      await clock.tickAsync(600)
      await settle()
      expect(keptIds()).to.deep.equal(orders.map(({ id }) => id))
    })

    it('does not try again what the engine refuses', async () => {
      const log = await start()
      sinon.stub(engine.broker, 'publish').rejects(new RpcError('too_large'))
      expect(await rejection(log.give(order()).kept)).to.include({ code: 'too_large' })
      sinon.restore()
      await settle()
      expect(keptIds()).to.deep.equal([])
    })

    it('lets no token in that it cannot compare with the log', async () => {
      const log = await start()
      engine.isAway = true
      expect(await rejection(log.check({ uid: 'ann' }))).to.include({ code: 'engine_unavailable' })
      add(order())
      engine.isAway = false
      await log.check({ uid: 'bob', issuedAt: 5 })
      expect(await rejection(log.check({ uid: 'ann', issuedAt: 5 }))).to.include({ code: 'invalid_token' })
    })

    it('is stale after its time, and closes sockets only where that is wanted', async () => {
      for (const closeWhenStale of [false, true]) {
        const log = await start({ closeWhenStale })
        engine.isAway = true
        await clock.tickAsync(STALENESS - 1000)
        expect([log.health.now.ok, closeAll.called]).to.deep.equal([true, false])
        await clock.tickAsync(2000)
        expect([log.health.now.ok, closeAll.called]).to.deep.equal([false, closeWhenStale])
        engine.isAway = false
        await settle()
        expect(log.health.now.ok).to.equal(true)
        log.close()
      }
    })
  })

  describe('what is delivered', () => {
    it('waits until the orders are done that were missed while the engine was away', async () => {
      await start()
      engine.isAway = true
      const missed = order()
      add(missed)
      engine.deliver('during')
      engine.deliver('and then')
      await settle()
      expect(done).to.deep.equal([])
      engine.isAway = false
      await settle()
      engine.deliver('after')
      expect(done).to.deep.equal([`${missed.id} late`, 'during', 'and then', 'after'])
    })

    it('waits for what was missed while the process was stopped, from the first one on', async () => {
      await start()
      engine.isDeaf = true
      const missed = order()
      add(missed)
      stopped += 5000
      engine.deliver('first')
      expect(done).to.deep.equal([])
      await settle()
      expect(done).to.deep.equal([`${missed.id} late`, 'first'])
    })

    it('waits for those that judge again, for a second at most', async () => {
      await start()
      apply.callsFake(async ({ id }) => {
        done.push(id)
        await new Promise(() => {})
        return 1
      })
      engine.isAway = true
      add(order())
      engine.deliver('held')
      await settle()
      engine.isAway = false
      await settle()
      await clock.tickAsync(900)
      expect(done).to.have.length(1)
      await clock.tickAsync(200)
      await settle()
      expect(done.at(-1)).to.equal('held')
    })

    it('waits for three seconds at most while the engine does not come back', async () => {
      await start()
      engine.isAway = true
      engine.deliver('held')
      await clock.tickAsync(2900)
      expect(done).to.deep.equal([])
      await clock.tickAsync(200)
      expect(done).to.deep.equal(['held'])
    })
  })

  describe('a log that the engine has lost', () => {
    it('is kept again from what this node knows, marked, and once of all nodes', async () => {
      const log = await start()
      const orders = [order(), order({ who: { jti: 'a' } })]
      for (const one of orders) await log.give(one).kept
      engine.lose()
      await comeBack()
      const kept = engine.kept.map(({ json }) => JSON.parse(json))
      expect(kept).to.deep.equal(orders.map((one) => ({ ...one, again: true })))
      const keys = engine.published.slice(2).map(({ idempotencyKey }) => idempotencyKey)
      expect(keys).to.deep.equal(orders.map(({ id }) => `again/${id}`))
      expect(done).to.deep.equal(orders.map(({ id }) => id))
      expect(closeAll.called).to.equal(false)
    })

    it('gets what is left of their time, and nothing that is over or there already', async () => {
      const log = await start({ revocationTtl: 100_000 })
      const [old, young, other] = [order(), order({ who: { jti: 'a' } }), order({ who: { jti: 'b' } })]
      await log.give(old).kept
      await clock.tickAsync(60_000)
      for (const one of [young, other]) await log.give(one).kept
      await clock.tickAsync(50_000)
      engine.isDeaf = true
      engine.lose()
      add({ ...other, again: true })
      const before = engine.published.length
      await comeBack()
      expect(keptIds()).to.deep.equal([other.id, young.id])
      const [options] = engine.published.slice(before)
      expect(options?.retention?.ttl).to.be.within(40_000, 50_000)
    })

    it('is read from its beginning', async () => {
      const log = await start()
      for (let count = 0; count < 3; count += 1) await log.give(order()).kept
      engine.isDeaf = true
      engine.lose()
      const theirs = order()
      add(theirs)
      await clock.tickAsync(5500)
      await settle()
      expect(done.at(-1)).to.equal(`${theirs.id} late`)
      expect(keptIds()).to.have.length(4)
    })
  })

  it('neither reads nor publishes after it was closed', async () => {
    const log = await start()
    log.close()
    const reads = engine.reads.length
    expect(await rejection(log.give(order()).kept)).to.include({ code: 'shutting_down' })
    engine.isAway = true
    engine.isAway = false
    await clock.tickAsync(60_000)
    expect([engine.reads.length, engine.kept, clock.countTimers()]).to.deep.equal([reads, [], 0])
  })
})
