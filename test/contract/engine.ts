/**
 * What every engine promises, as `packages/server/src/engine/engine.ts` says it. An engine's own test file runs it:
 * `engineContract('memory', createNodes, settings)`.
 */
import type { Engine, NodeCommand } from '@token-socket/server'
import { expect } from 'chai'
import { rejection } from '../protocol/rejection.js'
import { describeHistory } from './history.js'
import { describeNodes, describeSharedNodes } from './nodes.js'
import { describePresence, describeSharedPresence } from './presence.js'
import { describeRates, describeSharedRates } from './rates.js'

/** Limits that a case asks for. */
export interface EngineLimits {
  /** How many tickets may wait. */
  readonly tickets?: number
}

/** Makes the engines of so many nodes that share one store, which is empty. The suite closes them. */
export type CreateNodes = (
  count: number,
  limits?: EngineLimits,
) => readonly Engine[] | Promise<readonly Engine[]>

/** How time passes for an engine. */
export interface EngineClock {
  /** Lets so many milliseconds pass. */
  pass(ms: number): void | Promise<void>
  restore(): void
}

/** What is particular to an engine. */
export interface EngineSettings {
  /** Why it serves one node only. The cases of several nodes are then left out. */
  readonly oneNode?: string
  /** Starts to control time. */
  clock(): EngineClock
  /** Ends a node without a word, as a crash does. Of several nodes only. */
  kill?(node: Engine): void
}

/** Names that mean something to stores, patterns or objects, each with one that it must not be taken for. */
export const NAMES: readonly (readonly [name: string, other: string])[] = [
  ['a', 'A'],
  ['news*', 'news1'],
  ['h?llo', 'hello'],
  ['h[ae]llo', 'hallo'],
  ['a\\*', 'a*'],
  ['two words', 'two'],
  [' ', '  '],
  ['{a}b', '{a}c'],
  ['a:b', 'a'],
  ['a/b', 'a'],
  ['a.b', 'axb'],
  ['%s', '%d'],
  ['😀', '😁'],
  ['é', 'e\u0301'],
  ['line\nbreak', 'line'],
  ['zero\u0000', 'zero'],
  ['__proto__', 'constructor'],
  ['toString', 'valueOf'],
  ['x'.repeat(256), 'x'.repeat(255)],
]

/** What one node hears, in order. */
class Ear {
  readonly heard: unknown[] = []
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined

  constructor(readonly engine: Engine) {
    engine.broker.listen({
      publication: ({ channel, json }) => this.#put({ channel, json }),
      broadcast: (json) => this.#put({ broadcast: json }),
      command: (command) => this.#put({ command }),
      presence: () => {},
    })
  }

  /** Resolves when it has heard so much. */
  async until(count: number): Promise<unknown[]> {
    if (this.heard.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = { count, resolve }
      })
    }
    return this.heard
  }

  #put(item: unknown): void {
    this.heard.push(item)
    if (this.#waiting && this.heard.length >= this.#waiting.count) this.#waiting.resolve()
  }
}

/** Generates the cases for one engine. */
export function engineContract(name: string, createNodes: CreateNodes, settings: EngineSettings): void {
  const { oneNode } = settings
  describe(`the ${name} engine${oneNode === undefined ? '' : ` (one node: ${oneNode})`}`, () => {
    let nodes: readonly Engine[] = []

    afterEach(async () => {
      await Promise.all(nodes.map((node) => node.close()))
      nodes = []
    })

    /** One engine for each node, made for one case. */
    const make = async (count: number, limits?: EngineLimits): Promise<readonly [Engine, ...Engine[]]> => {
      nodes = await createNodes(count, limits)
      expect(nodes).to.have.length(count)
      return nodes as unknown as readonly [Engine, ...Engine[]]
    }
    const ears = async (count: number) => {
      const made = await make(count)
      return made.map((engine) => new Ear(engine)) as unknown as readonly [Ear, ...Ear[]]
    }

    describeEngine(make, settings)
    describe('broker', () => describeBroker(ears))
    describe('tickets', () => describeTickets(make, settings))
    describe('history', () => describeHistory(make, settings))
    describe('presence', () => describePresence(make, settings))
    describe('nodes', () => describeNodes(make))
    describe('rates', () => describeRates(make, settings))
    if (oneNode !== undefined) return
    describe('broker of several nodes', () => describeBrokers(ears))
    describe('tickets of several nodes', () => describeSharedTickets(make))
    describe('rates of several nodes', () => describeSharedRates(make))
    describe('presence of several nodes', () => describeSharedPresence(make, settings))
    describe('nodes, of which there are several', () => describeSharedNodes(make, settings))
  })
}

export type Make = (count: number, limits?: EngineLimits) => Promise<readonly [Engine, ...Engine[]]>
type Ears = (count: number) => Promise<readonly [Ear, ...Ear[]]>

function describeEngine(make: Make, settings: EngineSettings): void {
  it('has a name, and says whether other processes can share it', async () => {
    const [engine] = await make(1)
    expect(engine.name).to.be.a('string').that.is.not.equal('')
    expect(engine.shared).to.equal(settings.oneNode === undefined)
  })

  describe('#close', () => {
    it('resolves, with subscriptions and tickets', async () => {
      const [engine] = await make(1)
      await engine.broker.subscribe('a')
      await engine.tickets.put({ id: 't', json: '1', ttl: 60_000 })
      await engine.close()
    })
  })
}

const KEPT = { size: 100, ttl: 60_000 }

function describeBroker(ears: Ears): void {
  const publication = (channel: string, json: string) => ({ channel, json })

  describe('#publish', () => {
    it('reaches a channel that is subscribed to', async () => {
      const [{ engine, until }] = bound(await ears(1))
      await engine.broker.subscribe('a')
      await engine.broker.publish({ channel: 'a', json: '{"x":1}' })
      expect(await until(1)).to.deep.equal([publication('a', '{"x":1}')])
    })

    it('carries JSON as it is', async () => {
      const texts = ['null', '""', '{ "x" : 1 }', '"\\u0000"', '"😀 \u2028 \\n"', `"${'x'.repeat(100_000)}"`]
      const [{ engine, until }] = bound(await ears(1))
      await engine.broker.subscribe('a')
      for (const json of texts) await engine.broker.publish({ channel: 'a', json: json })
      expect(await until(texts.length)).to.deep.equal(texts.map((json) => publication('a', json)))
    })

    it('is heard in the order of publishing, each once', async () => {
      const [{ engine, until }] = bound(await ears(1))
      const texts = Array.from({ length: 200 }, (_, index) => String(index))
      await engine.broker.subscribe('a')
      await Promise.all(texts.map((json) => engine.broker.publish({ channel: 'a', json: json })))
      await engine.broker.publish({ channel: 'a', json: '"last"' })
      const heard = await until(texts.length + 1)
      expect(heard).to.deep.equal([...texts, '"last"'].map((json) => publication('a', json)))
    })

    for (const [kind, options] of Object.entries({ kept: { retention: KEPT }, 'not kept': {} })) {
      it(`resolves after this node has heard it, if it is subscribed: ${kind}`, async () => {
        const [{ engine, heard }] = bound(await ears(1))
        await engine.broker.subscribe('a')
        const heardThen: number[] = []
        for (let index = 0; index < 20; index += 1) {
          await engine.broker.publish({ channel: 'a', json: String(index) }, options)
          heardThen.push(heard.length)
        }
        expect(heardThen).to.deep.equal(Array.from({ length: 20 }, (_, index) => index + 1))
      })
    }

    it('resolves though this node unsubscribes meanwhile', async () => {
      const [{ engine }] = bound(await ears(1))
      for (let index = 0; index < 20; index += 1) {
        await engine.broker.subscribe('a')
        const published = engine.broker.publish({ channel: 'a', json: '1' })
        await Promise.all([published, engine.broker.unsubscribe('a')])
      }
    })

    it('resolves where nobody is subscribed', async () => {
      const [{ engine }] = await ears(1)
      await engine.broker.publish({ channel: 'nobody', json: '1' })
    })

    for (const [name, other] of NAMES) {
      const short = JSON.stringify(name.length > 20 ? `${name.slice(0, 5)}…` : name)
      it(`takes ${short} for a name, not for a pattern`, async () => {
        const [{ engine, until }] = bound(await ears(1))
        await engine.broker.subscribe(name)
        await engine.broker.publish({ channel: other, json: '"other"' })
        await engine.broker.publish({ channel: name, json: '"one"' })
        await engine.broker.publish({ channel: name, json: '"two"' })
        expect(await until(2)).to.deep.equal([publication(name, '"one"'), publication(name, '"two"')])
      })
    }
  })

  describe('#subscribe', () => {
    it('does no harm when it is called again: each publication is heard once', async () => {
      const [{ engine, until }] = bound(await ears(1))
      await Promise.all([engine.broker.subscribe('a'), engine.broker.subscribe('a')])
      await engine.broker.subscribe('a')
      for (const json of ['1', '2']) await engine.broker.publish({ channel: 'a', json: json })
      expect(await until(2)).to.deep.equal([publication('a', '1'), publication('a', '2')])
    })

    it('does not bring what was published before', async () => {
      const [{ engine, until }] = bound(await ears(1))
      await engine.broker.publish({ channel: 'a', json: '1' })
      await engine.broker.subscribe('a')
      await engine.broker.publish({ channel: 'a', json: '2' })
      expect(await until(1)).to.deep.equal([publication('a', '2')])
    })
  })

  describe('#unsubscribe', () => {
    it('ends it: what is published after it is not heard', async () => {
      const [{ engine, until }] = bound(await ears(1))
      await engine.broker.subscribe('a')
      await engine.broker.publish({ channel: 'a', json: '1' })
      await until(1)
      await engine.broker.unsubscribe('a')
      await engine.broker.publish({ channel: 'a', json: '2' })
      await engine.broker.subscribe('a')
      await engine.broker.publish({ channel: 'a', json: '3' })
      expect(await until(2)).to.deep.equal([publication('a', '1'), publication('a', '3')])
    })

    it('ends it however often it was subscribed to', async () => {
      const [{ engine, until }] = bound(await ears(1))
      await engine.broker.subscribe('a')
      await engine.broker.subscribe('a')
      await engine.broker.unsubscribe('a')
      await engine.broker.publish({ channel: 'a', json: '1' })
      await engine.broker.subscribe('a')
      await engine.broker.publish({ channel: 'a', json: '2' })
      expect(await until(1)).to.deep.equal([publication('a', '2')])
    })

    it('leaves other channels alone', async () => {
      const [{ engine, until }] = bound(await ears(1))
      for (const [name] of NAMES) await engine.broker.subscribe(name)
      await engine.broker.unsubscribe('a')
      for (const [name] of NAMES) await engine.broker.publish({ channel: name, json: JSON.stringify(name) })
      const others = NAMES.slice(1).map(([name]) => publication(name, JSON.stringify(name)))
      expect(await until(others.length)).to.have.deep.members(others)
    })

    it('does no harm where there is nothing to end', async () => {
      const [{ engine }] = await ears(1)
      await engine.broker.unsubscribe('a')
      await engine.broker.unsubscribe('__proto__')
    })
  })

  describe('#broadcast', () => {
    it('is heard without a subscription, once, in order', async () => {
      const [{ engine, heard, until }] = bound(await ears(1))
      for (const channel of ['a', 'b']) await engine.broker.subscribe(channel)
      for (const json of ['1', '2', '3']) await engine.broker.broadcast(json)
      expect(heard, 'when it resolved').to.have.length(3)
      expect(await until(3)).to.deep.equal(['1', '2', '3'].map((json) => ({ broadcast: json })))
    })
  })

  describe('#command', () => {
    it('is heard by the node that gave it, with every name', async () => {
      const [{ engine, until }] = bound(await ears(1))
      const commands = NAMES.map(([channel]): NodeCommand => ({ type: 'unsubscribeAll', channel }))
      for (const command of commands) await engine.broker.command(command)
      expect(await until(commands.length)).to.deep.equal(commands.map((command) => ({ command })))
    })
  })
}

function describeBrokers(ears: Ears): void {
  it('carries publications to every node that is subscribed, and to no other', async () => {
    const all = await ears(3)
    const [one, two, three] = all as readonly [Ear, Ear, Ear]
    await Promise.all([one, two].map(({ engine }) => engine.broker.subscribe('a')))
    await three.engine.broker.subscribe('b')
    await three.engine.broker.publish({ channel: 'a', json: '1' })
    await one.engine.broker.publish({ channel: 'b', json: '2' })
    for (const ear of [one, two]) expect(await ear.until(1)).to.deep.equal([{ channel: 'a', json: '1' }])
    expect(await three.until(1)).to.deep.equal([{ channel: 'b', json: '2' }])
  })

  it('has one order of a channel’s publications on every node, whoever publishes', async () => {
    const all = await ears(3)
    await Promise.all(all.map(({ engine }) => engine.broker.subscribe('a')))
    const publish = ({ engine }: Ear, node: number) =>
      Array.from({ length: 50 }, (_, index) =>
        engine.broker.publish({ channel: 'a', json: `"${node}:${index}"` }),
      )
    await Promise.all(all.flatMap(publish))
    const [first, ...others] = await Promise.all(all.map((ear) => ear.until(150)))
    expect(new Set((first as { json: string }[]).map(({ json }) => json)).size).to.equal(150)
    for (const heard of others) expect(heard).to.deep.equal(first)
  })

  it('lets each node unsubscribe for itself', async () => {
    const [one, two] = (await ears(2)) as unknown as readonly [Ear, Ear]
    await Promise.all([one, two].map(({ engine }) => engine.broker.subscribe('a')))
    await one.engine.broker.unsubscribe('a')
    await one.engine.broker.publish({ channel: 'a', json: '1' })
    expect(await two.until(1)).to.deep.equal([{ channel: 'a', json: '1' }])
    await one.engine.broker.subscribe('a')
    await two.engine.broker.publish({ channel: 'a', json: '2' })
    expect(await one.until(1)).to.deep.equal([{ channel: 'a', json: '2' }])
  })

  it('gives broadcasts and commands to every node, once', async () => {
    const all = await ears(3)
    const command: NodeCommand = { type: 'unsubscribeAll', channel: 'a' }
    await all[0].engine.broker.broadcast('1')
    for (const ear of all) await ear.until(1)
    await all[0].engine.broker.command(command)
    for (const ear of all) expect(await ear.until(2)).to.deep.equal([{ broadcast: '1' }, { command }])
  })

  it('goes on when one node is closed', async () => {
    const [one, two, three] = (await ears(3)) as unknown as readonly [Ear, Ear, Ear]
    await Promise.all([one, two].map(({ engine }) => engine.broker.subscribe('a')))
    await one.engine.close()
    await three.engine.broker.publish({ channel: 'a', json: '1' })
    expect(await two.until(1)).to.deep.equal([{ channel: 'a', json: '1' }])
  })
}

function describeTickets(make: Make, settings: EngineSettings): void {
  describe('#take', () => {
    it('gives what was put, once', async () => {
      const [{ tickets }] = await make(1)
      await tickets.put({ id: 't', json: '{"auth":{"id":7}}', ttl: 60_000 })
      expect(await tickets.take('t')).to.equal('{"auth":{"id":7}}')
      expect(await tickets.take('t')).to.equal(undefined)
    })

    it('gives undefined for what was never put', async () => {
      const [{ tickets }] = await make(1)
      for (const id of ['t', '', '*', '__proto__', 'constructor', '{t}', '😀']) {
        expect(await tickets.take(id)).to.equal(undefined)
      }
    })

    it('keeps tickets apart, whatever their ids', async () => {
      const [{ tickets }] = await make(1)
      for (const [id] of NAMES) await tickets.put({ id: id, json: JSON.stringify(id), ttl: 60_000 })
      for (const [id] of NAMES) expect(await tickets.take(id)).to.equal(JSON.stringify(id))
    })

    it('gives a ticket to exactly one of those that ask at once', async () => {
      const [{ tickets }] = await make(1)
      await tickets.put({ id: 't', json: '1', ttl: 60_000 })
      const taken = await Promise.all(Array.from({ length: 50 }, () => tickets.take('t')))
      expect(taken.filter((json) => json !== undefined)).to.deep.equal(['1'])
    })
  })

  describe('#put', () => {
    it('keeps large tickets as they are', async () => {
      const [{ tickets }] = await make(1)
      const json = JSON.stringify({ text: '😀\u0000'.repeat(50_000) })
      await tickets.put({ id: 't', json: json, ttl: 60_000 })
      expect(await tickets.take('t')).to.equal(json)
    })

    it('rejects with too_many_tickets at the limit, which takes make room for', async () => {
      const [{ tickets }] = await make(1, { tickets: 2 })
      for (const id of ['a', 'b']) await tickets.put({ id: id, json: '1', ttl: 60_000 })
      const error = await rejection(tickets.put({ id: 'c', json: '1', ttl: 60_000 }))
      expect(error.code).to.equal('too_many_tickets')
      expect(error.data).to.deep.equal({ field: 'tickets', limit: 2 })
      expect(await tickets.take('c')).to.equal(undefined)
      expect(await tickets.take('a')).to.equal('1')
      await tickets.put({ id: 'c', json: '1', ttl: 60_000 })
    })
  })

  describe('#put with owners', () => describeTicketOwners(make, settings))

  describe('#revoke', () => describeRevocations(make, settings))

  describe('#claim', () => {
    it('is true once, whoever asks', async () => {
      const [{ tickets }] = await make(1)
      const claimed = await Promise.all(Array.from({ length: 50 }, () => tickets.claim('j', 60_000)))
      expect(claimed.filter(Boolean)).to.have.length(1)
      expect(await tickets.claim('j', 60_000)).to.equal(false)
    })

    it('keeps ids apart, whatever they are, and from tickets', async () => {
      const [{ tickets }] = await make(1)
      for (const [id] of NAMES) await tickets.put({ id: id, json: '1', ttl: 60_000 })
      for (const [id] of NAMES) expect(await tickets.claim(id, 60_000), id).to.equal(true)
      for (const [id] of NAMES) expect(await tickets.take(id), id).to.equal('1')
      for (const [id] of NAMES) expect(await tickets.claim(id, 60_000), id).to.equal(false)
    })
  })

  describe('as time passes', () => {
    let clock: EngineClock

    beforeEach(() => {
      clock = settings.clock()
    })

    afterEach(() => clock.restore())

    it('knows a claimed id for its time and no longer', async () => {
      const [{ tickets }] = await make(1)
      await tickets.claim('short', 500)
      await tickets.claim('long', 50_000)
      await clock.pass(1000)
      expect(await tickets.claim('short', 500)).to.equal(true)
      expect(await tickets.claim('long', 500)).to.equal(false)
    })

    it('keeps a ticket for its time and no longer', async () => {
      const [{ tickets }] = await make(1)
      await tickets.put({ id: 'short', json: '1', ttl: 500 })
      await tickets.put({ id: 'long', json: '2', ttl: 60_000 })
      await clock.pass(1000)
      expect(await tickets.take('short')).to.equal(undefined)
      expect(await tickets.take('long')).to.equal('2')
    })

    it('keeps a ticket until its time has come', async () => {
      const [{ tickets }] = await make(1)
      await tickets.put({ id: 't', json: '1', ttl: 10_000 })
      await clock.pass(1000)
      expect(await tickets.take('t')).to.equal('1')
    })

    it('makes room for others with what is gone', async () => {
      const [{ tickets }] = await make(1, { tickets: 1 })
      await tickets.put({ id: 'a', json: '1', ttl: 500 })
      await clock.pass(1000)
      await tickets.put({ id: 'b', json: '2', ttl: 60_000 })
      expect(await tickets.take('b')).to.equal('2')
    })
  })
}

function describeTicketOwners(make: Make, settings: EngineSettings): void {
  const ticket = (id: string, ...owners: readonly string[]) => ({
    id,
    json: `"${id}"`,
    ttl: 60_000,
    owners: owners.map((name) => ({ name, limit: 2 })),
  })
  /** Takes tickets. @returns the ids of those that were there */
  const taken = async ({ tickets }: Engine, ids: string) => {
    const found = await Promise.all([...ids].map((id) => tickets.take(id)))
    return found.map((json, at) => (json === `"${ids[at]}"` ? ids[at] : '-')).join('')
  }

  it('lets the oldest of an owner go that has too many, and none of others', async () => {
    const [engine] = await make(1)
    for (const id of 'abcd') await engine.tickets.put(ticket(id, 'u:ann'))
    for (const id of 'xy') await engine.tickets.put(ticket(id, 'u:ben'))
    expect(await taken(engine, 'abcdxy')).to.equal('--cdxy')
  })

  it('makes room for the others where an owner has taken it all', async () => {
    const [engine] = await make(1, { tickets: 3 })
    for (const id of 'abcdefg') await engine.tickets.put(ticket(id, 'u:ann'))
    await engine.tickets.put(ticket('x', 'u:ben'))
    expect((await rejection(engine.tickets.put(ticket('y', 'u:eve')))).code).to.equal('too_many_tickets')
    await engine.tickets.put(ticket('h', 'u:ann'))
    expect(await taken(engine, 'fghxy')).to.equal('-ghx-')
  })

  it('counts a ticket for each of its owners, until it is taken', async () => {
    const [engine] = await make(1)
    await engine.tickets.put(ticket('a', 'u:ann', 'a:1'))
    await engine.tickets.put(ticket('b', 'u:ben', 'a:1'))
    expect(await taken(engine, 'a')).to.equal('a')
    for (const [id, uid] of ['c', 'd'].map((id, at) => [id, ['u:ann', 'u:eve'][at] ?? ''] as const))
      await engine.tickets.put(ticket(id, uid, 'a:1'))
    expect(await taken(engine, 'bcd')).to.equal('-cd')
    for (const id of 'ef') await engine.tickets.put(ticket(id, 'u:ann', 'a:2'))
    expect(await taken(engine, 'ef')).to.equal('ef')
  })

  it('keeps owners apart, whatever their names, and from tickets', async () => {
    const [engine] = await make(1)
    const names = [...new Set(NAMES.flat())]
    const owned = (owner: string, at: number) => ({ ...ticket(owner, owner), json: `${at}` })
    for (const [at, name] of names.entries()) await engine.tickets.put(owned(name, at))
    for (const [at, name] of names.entries()) expect(await engine.tickets.take(name), name).to.equal(`${at}`)
  })

  it('does not count what is gone by its time', async () => {
    const clock = settings.clock()
    try {
      const [engine] = await make(1)
      await engine.tickets.put({ ...ticket('a', 'u:ann'), ttl: 500 })
      await engine.tickets.put(ticket('b', 'u:ann'))
      await clock.pass(1000)
      await engine.tickets.put(ticket('c', 'u:ann'))
      expect(await taken(engine, 'abc')).to.equal('-bc')
    } finally {
      clock.restore()
    }
  })
}

function describeRevocations(make: Make, settings: EngineSettings): void {
  const ticket = (id: string, age: number, ...owners: readonly string[]) => ({
    id,
    json: `"${id}"`,
    ttl: 60_000,
    age,
    owners: owners.map((name) => ({ name, limit: 100 })),
  })

  it('takes back the tickets of an owner that were asked for before, and no others', async () => {
    const [{ tickets }] = await make(1)
    await tickets.put(ticket('one', 0, 'uid:ann', 'address:1'))
    await tickets.put(ticket('two', 0, 'address:1', 'uid:ann'))
    await tickets.put(ticket('other', 0, 'uid:ben', 'address:1'))
    await tickets.put(ticket('none', 0))
    await tickets.revoke('uid:ann', 60_000)
    await tickets.put(ticket('asked before', 1000, 'uid:ann'))
    await tickets.put(ticket('asked after', 0, 'uid:ann'))
    const ids = ['one', 'two', 'asked before', 'asked after', 'other', 'none']
    const taken = await Promise.all(ids.map((id) => tickets.take(id)))
    expect(taken).to.deep.equal([undefined, undefined, undefined, '"asked after"', '"other"', '"none"'])
  })

  it('counts from the last time', async () => {
    const [{ tickets }] = await make(1)
    await tickets.revoke('uid:ann', 60_000)
    await tickets.put(ticket('t', 0, 'uid:ann'))
    await tickets.revoke('uid:ann', 60_000)
    expect(await tickets.take('t')).to.equal(undefined)
  })

  it('tells when that was', async () => {
    const [{ tickets }] = await make(1)
    expect(await tickets.revoked('uid:ann')).to.equal(undefined)
    const before = Date.now()
    await tickets.revoke('uid:ann', 60_000)
    expect(await tickets.revoked('uid:ann')).to.be.within(before - 1, Date.now() + 1)
    expect(await tickets.revoked('uid:ben')).to.equal(undefined)
  })

  it('keeps owners apart, whatever their names, and from tickets', async () => {
    const [{ tickets }] = await make(1)
    for (const [id, other] of NAMES) {
      await tickets.put(ticket(id, 0, id))
      await tickets.put(ticket(other, 0, other))
      await tickets.revoke(id, 60_000)
      const taken = [await tickets.take(id), await tickets.take(other)]
      expect(taken, id).to.deep.equal([undefined, `"${other}"`])
    }
  })

  it('is known for its time and no longer', async () => {
    const clock = settings.clock()
    try {
      const [{ tickets }] = await make(1)
      await tickets.revoke('uid:short', 500)
      await tickets.revoke('uid:long', 50_000)
      await clock.pass(1000)
      expect(await tickets.revoked('uid:short')).to.equal(undefined)
      expect(await tickets.revoked('uid:long')).to.be.a('number')
    } finally {
      clock.restore()
    }
  })
}

function describeSharedTickets(make: Make): void {
  it('gives a ticket to whichever node asks', async () => {
    const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
    await one.tickets.put({ id: 't', json: '1', ttl: 60_000 })
    expect(await two.tickets.take('t')).to.equal('1')
    expect(await one.tickets.take('t')).to.equal(undefined)
  })

  it('takes back the tickets of an owner on every node', async () => {
    const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
    await one.tickets.put({ id: 't', json: '1', ttl: 60_000, owners: [{ name: 'uid:ann', limit: 5 }] })
    await two.tickets.revoke('uid:ann', 60_000)
    expect(await one.tickets.take('t')).to.equal(undefined)
    expect(await one.tickets.revoked('uid:ann')).to.equal(await two.tickets.revoked('uid:ann'))
  })

  it('gives a ticket to exactly one of the nodes that ask at once', async () => {
    const all = await make(3)
    for (let round = 0; round < 20; round += 1) {
      await all[0].tickets.put({ id: 't', json: '1', ttl: 60_000 })
      const asked = Array.from({ length: 5 }, () => all.map(({ tickets }) => tickets.take('t'))).flat()
      const taken = await Promise.all(asked)
      expect(taken.filter((json) => json !== undefined)).to.deep.equal(['1'])
    }
  })

  it('keeps a ticket when the node that put it is closed', async () => {
    const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
    await one.tickets.put({ id: 't', json: '1', ttl: 60_000 })
    await one.close()
    expect(await two.tickets.take('t')).to.equal('1')
  })
}

/** The ears with `until` as a function of its own. */
function bound([ear]: readonly [Ear, ...Ear[]]) {
  return [{ engine: ear.engine, heard: ear.heard, until: (count: number) => ear.until(count) }] as const
}
