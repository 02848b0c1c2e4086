import {
  type Draft,
  type Engine,
  type HistoryPage,
  type HistoryQuery,
  IDEMPOTENCY,
  isNext,
  type Publication,
  type Receipt,
} from '@token-socket/server/engine'
import { expect } from 'chai'
import type { EngineClock, EngineSettings, MakeNodes } from './settings.js'

const KEPT = { size: 100, ttl: 60_000 }

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** Publishes on a channel, in order, and keeps it. */
async function keep(
  engine: Engine,
  channel: string,
  texts: readonly string[],
  retention = KEPT,
): Promise<Receipt[]> {
  const receipts: Receipt[] = []
  for (const json of texts) receipts.push(await engine.broker.publish({ channel, json }, { retention }))
  return receipts
}

const numbers = (count: number, first = 1) =>
  Array.from({ length: count }, (_, index) => String(first + index))

const texts = ({ publications }: HistoryPage) => publications.map(({ json }) => json)

const read = (engine: Engine, query: Partial<HistoryQuery> = {}, channel = 'a') =>
  engine.history.read(channel, { limit: 100, ...query })

/** The cases of publications that an engine keeps. */
export function describeHistory(make: MakeNodes, settings: EngineSettings): void {
  describe('the receipt of #publish', () => {
    it('has a ULID of now', async () => {
      const [engine] = await make(1)
      const { id } = await engine.broker.publish({ channel: 'a', json: '1' })
      expect(id).to.match(ULID)
    })

    it('has ids that increase, and none twice', async () => {
      const [engine] = await make(1)
      const draft: Draft = { channel: 'a', json: '1' }
      const receipts = await Promise.all(numbers(500).map(() => engine.broker.publish(draft)))
      const ids = receipts.map(({ id }) => id)
      expect(ids).to.deep.equal([...new Set(ids)].sort())
    })

    it('has no position for what is not kept', async () => {
      const [engine] = await make(1)
      expect(await engine.broker.publish({ channel: 'a', json: '1' })).to.have.all.keys('id')
      expect((await engine.history.position('a')).offset).to.equal(0)
    })

    it('has an epoch before the first publication, which continues with it', async () => {
      const [engine] = await make(1)
      const empty = await engine.history.position('a')
      const other = await engine.history.position('a')
      const { epoch = '' } = await engine.broker.publish({ channel: 'a', json: '1' }, { retention: KEPT })
      expect([isNext(empty.epoch, other.epoch), isNext(empty.epoch, epoch)]).to.deep.equal([true, true])
      expect(isNext(`another${empty.epoch}`, epoch)).to.equal(false)
    })

    it('has an epoch of at most 64 characters, before the first publication and after it', async () => {
      const [engine] = await make(1)
      const { epoch: empty } = await engine.history.position('a')
      const { epoch } = await engine.broker.publish({ channel: 'a', json: '1' }, { retention: KEPT })
      for (const one of [empty, epoch]) expect(one).to.match(/^.{1,50}\.[0-9a-z]{1,13}$/)
    })

    it('has offsets without gaps for kept publications', async () => {
      const [engine] = await make(1)
      const [one] = await keep(engine, 'a', ['1'])
      await engine.broker.publish({ channel: 'a', json: '"not kept"' })
      await keep(engine, 'b', ['1', '2'])
      const [two] = await keep(engine, 'a', ['2'])
      expect([one?.offset, two?.offset]).to.deep.equal([1, 2])
      expect(one?.epoch).to.be.a('string').that.equals(two?.epoch)
      expect(await engine.history.position('a')).to.deep.equal({ epoch: one?.epoch, offset: 2 })
    })
  })

  describe('what a node receives of a publication', () => {
    it('is the draft with its receipt', async () => {
      const [engine] = await make(1)
      const received: Publication[] = []
      const areReceived = new Promise<void>((resolve) => {
        engine.broker.listen({
          publication: (publication) => {
            received.push(publication)
            if (received.length === 2) resolve()
          },
          broadcast: () => {},
          command: () => {},
          presence: () => {},
        })
      })
      await engine.broker.subscribe('a')
      const draft: Draft = {
        channel: 'a',
        json: '{"x":"😀"}',
        event: 'chat',
        meta: '{"uid":"u"}',
        except: 'sid',
      }
      const kept = await engine.broker.publish(draft, { retention: KEPT })
      const not = await engine.broker.publish(draft)
      await areReceived
      expect(received).to.deep.equal([
        { ...draft, ...kept },
        { ...draft, ...not },
      ])
    })
  })

  describe('#publish with an idempotency key', () => {
    it('publishes once, and returns the first receipt again', async () => {
      const [engine] = await make(1)
      const publish = (json: string, idempotencyKey: string, channel = 'a') =>
        engine.broker.publish({ channel, json }, { retention: KEPT, idempotencyKey })
      const first = await publish('1', 'key')
      expect(await publish('2', 'key')).to.deep.equal(first)
      expect((await publish('3', 'other')).offset).to.equal(2)
      expect((await publish('4', 'key', 'b')).offset).to.equal(1)
      expect(texts(await read(engine))).to.deep.equal(['1', '3'])
    })

    it('publishes once when all calls come at the same time', async () => {
      const [engine] = await make(1)
      const options = { retention: KEPT, idempotencyKey: '__proto__' }
      const publish = () => engine.broker.publish({ channel: 'a', json: '1' }, options)
      const receipts = await Promise.all(Array.from({ length: 20 }, publish))
      expect(new Set(receipts.map(({ id }) => id)).size).to.equal(1)
      expect(texts(await read(engine))).to.deep.equal(['1'])
    })
  })

  describe('#publish with an idempotency key of an owner', () => {
    const publisher =
      (engine: Engine) =>
      (idempotencyKey: string, keyOwner?: string, channel = 'a') =>
        engine.broker.publish({ channel, json: '1' }, { idempotencyKey, keyOwner })

    it('publishes once', async () => {
      const [engine] = await make(1)
      const publish = publisher(engine)
      const first = await publish('key', 'ann')
      expect(await publish('key', 'ann')).to.deep.equal(first)
      expect(await publish('key', 'ann', 'b')).not.to.deep.equal(first)
    })

    it('makes the engine forget the oldest key of this owner only, over all channels', async () => {
      const [engine] = await make(1)
      const publish = publisher(engine)
      const known = [await publish('bob 1', 'bob'), await publish('server 1')]
      const receipts = new Map<number, unknown>()
      const count = IDEMPOTENCY.keysPerOwner + 2
      const channelOf = (number: number) => `channel ${number % 7}`
      for (let number = 0; number < count; number += 1)
        receipts.set(number, await publish(`ann ${number}`, 'ann', channelOf(number)))
      const again = (number: number) => publish(`ann ${number}`, 'ann', channelOf(number))
      for (const number of [count - 1, 2]) expect(await again(number)).to.deep.equal(receipts.get(number))
      for (const number of [0, 1]) expect(await again(number)).not.to.deep.equal(receipts.get(number))
      expect([await publish('bob 1', 'bob'), await publish('server 1')]).to.deep.equal(known)
    })

    it('forgets keys in the order in which they came, not in which they were used', async () => {
      const [engine] = await make(1)
      const publish = publisher(engine)
      const first = await publish('first', 'ann')
      for (let number = 1; number < IDEMPOTENCY.keysPerOwner; number += 1) await publish(`${number}`, 'ann')
      expect(await publish('first', 'ann')).to.deep.equal(first)
      await publish('one more', 'ann')
      expect(await publish('first', 'ann')).not.to.deep.equal(first)
    })
  })

  describe('#read', () => {
    it('returns nothing of a channel that keeps nothing', async () => {
      const [engine] = await make(1)
      for (const channel of ['a', '__proto__', 'constructor', '*']) {
        const { position, publications } = await read(engine, {}, channel)
        expect([position.offset, publications], channel).to.deep.equal([0, []])
      }
    })

    it('returns what was published, unchanged, the oldest first', async () => {
      const [engine] = await make(1)
      const draft: Draft = {
        channel: 'a',
        json: '{ "x" : "\\u2028" }',
        event: 'e',
        meta: '{"uid":"u","umd":1}',
      }
      const receipt = await engine.broker.publish(draft, { retention: KEPT })
      await keep(engine, 'a', ['2'])
      const { position, publications } = await read(engine)
      expect(publications[0]).to.deep.equal({ ...draft, ...receipt })
      expect(publications[1]).to.include({ channel: 'a', json: '2', offset: 2 })
      expect(position).to.deep.equal({ epoch: receipt.epoch, offset: 2 })
    })

    it('returns at most `limit` publications, from either end', async () => {
      const [engine] = await make(1)
      await keep(engine, 'a', numbers(10))
      expect(texts(await read(engine, { limit: 3 }))).to.deep.equal(['1', '2', '3'])
      expect(texts(await read(engine, { limit: 3, reverse: true }))).to.deep.equal(['10', '9', '8'])
    })

    it('returns at most `bytes`, or one publication, and says whether there is more', async () => {
      const [engine] = await make(1)
      await keep(engine, 'a', [...Array(5).fill(`"${'x'.repeat(1000)}"`), `"${'é'.repeat(5000)}"`, '7'])
      const ask = async (query: Partial<HistoryQuery>) => {
        const { publications, more } = await read(engine, query)
        return [publications.map(({ offset }) => offset), more]
      }
      expect(await ask({ bytes: 3500 })).to.deep.equal([[1, 2, 3], true])
      expect(await ask({ bytes: 1 })).to.deep.equal([[1], true])
      expect(await ask({ bytes: 3500, limit: 2 })).to.deep.equal([[1, 2], true])
      // Bytes, not characters: these are two each.
      expect(await ask({ bytes: 6500, after: 4 })).to.deep.equal([[5], true])
      expect(await ask({ bytes: 6500, after: 5 })).to.deep.equal([[6], true])
      expect(await ask({ bytes: 6500, after: 6 })).to.deep.equal([[7], false])
      expect(await ask({ bytes: 6500, reverse: true })).to.deep.equal([[7], true])
      expect(
        await ask({ bytes: 3500, reverse: true, before: (await read(engine)).publications[5]?.id }),
      ).to.deep.equal([[5, 4, 3], true])
      expect(await ask({ bytes: 100_000 })).to.deep.equal([[1, 2, 3, 4, 5, 6, 7], false])
      expect(await ask({ limit: 7 })).to.deep.equal([[1, 2, 3, 4, 5, 6, 7], false])
    })

    it('returns a large history in pages bounded in bytes, each publication once', async () => {
      const [engine] = await make(1)
      const sizes = numbers(150).map((one) => (Number(one) * 7919) % 4000)
      await keep(
        engine,
        'a',
        sizes.map((size) => `"${'x'.repeat(size)}"`),
        { size: 1000, ttl: 60_000 },
      )
      const found: (number | undefined)[] = []
      for (let after = 0, isMore = true; isMore; ) {
        const { publications, more } = await read(engine, { after, bytes: 10_000 })
        expect(publications.slice(1).reduce((sum, { json }) => sum + json.length, 0)).to.be.at.most(10_000)
        found.push(...publications.map(({ offset }) => offset))
        after = publications.at(-1)?.offset ?? 0
        isMore = more
      }
      expect(found).to.deep.equal(numbers(150).map(Number))
    })

    it('returns what comes after an offset', async () => {
      const [engine] = await make(1)
      await keep(engine, 'a', numbers(10))
      expect(texts(await read(engine, { after: 8 }))).to.deep.equal(['9', '10'])
      expect(texts(await read(engine, { after: 10 }))).to.deep.equal([])
      expect(texts(await read(engine, { after: Number.MAX_SAFE_INTEGER }))).to.deep.equal([])
    })

    it('returns what comes after an id, before one, or between two', async () => {
      const [engine] = await make(1)
      const receipts = await keep(engine, 'a', numbers(10))
      const [after, before] = [receipts[2]?.id, receipts[6]?.id]
      expect(texts(await read(engine, { after, limit: 2 }))).to.deep.equal(['4', '5'])
      expect(texts(await read(engine, { before, limit: 2 }))).to.deep.equal(['1', '2'])
      expect(texts(await read(engine, { after, before }))).to.deep.equal(['4', '5', '6'])
      expect(texts(await read(engine, { after, before, reverse: true, limit: 2 }))).to.deep.equal(['6', '5'])
      expect(texts(await read(engine, { after: before, before: after }))).to.deep.equal([])
    })

    it('returns one page after the other, each publication once', async () => {
      const [engine] = await make(1)
      const retention = { size: 1000, ttl: 60_000 }
      await keep(engine, 'a', numbers(250), retention)
      const found: string[] = []
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page: HistoryPage = await read(engine, { after })
        found.push(...texts(page))
        after = page.publications.at(-1)?.id
      }
      expect(found).to.deep.equal(numbers(250))
    })

    it('keeps channels of all names apart', async () => {
      const [engine] = await make(1)
      const names = [
        'a',
        'A',
        'a*',
        '*',
        '{a}',
        'a:b',
        'a b',
        '__proto__',
        '😀',
        'é',
        'zero\u0000',
        'x'.repeat(256),
      ]
      for (const name of names) await keep(engine, name, [JSON.stringify(name)])
      for (const name of names) {
        expect(texts(await read(engine, {}, name))).to.deep.equal([JSON.stringify(name)])
      }
    })
  })

  describe('the size of a history', () => {
    it('removes the oldest publications; offsets go on', async () => {
      const [engine] = await make(1)
      const receipts = await keep(engine, 'a', numbers(10), { size: 3, ttl: 60_000 })
      const { position, publications } = await read(engine)
      expect(publications.map(({ json, offset }) => [json, offset])).to.deep.equal([
        ['8', 8],
        ['9', 9],
        ['10', 10],
      ])
      expect(position?.offset).to.equal(10)
      expect(texts(await read(engine, { after: receipts[0]?.id }))).to.deep.equal(['8', '9', '10'])
      expect(texts(await read(engine, { after: 2 }))).to.deep.equal(['8', '9', '10'])
    })
  })

  describe('as time passes', () => {
    let clock: EngineClock

    beforeEach(() => {
      clock = settings.clock()
    })

    afterEach(() => clock.restore())

    it('removes each publication at its own time, and keeps the position', async () => {
      const [engine] = await make(1)
      await keep(engine, 'a', ['"long"'], { size: 10, ttl: 60_000 })
      await keep(engine, 'a', ['"short"'], { size: 10, ttl: 500 })
      await keep(engine, 'a', ['"long too"'], { size: 10, ttl: 60_000 })
      await clock.pass(1000)
      expect(texts(await read(engine))).to.deep.equal(['"long"', '"long too"'])
      expect(texts(await read(engine, { limit: 2, reverse: true }))).to.deep.equal(['"long too"', '"long"'])
      await keep(engine, 'b', ['1'], { size: 10, ttl: 500 })
      await clock.pass(2000)
      expect(await read(engine, {}, 'b')).to.have.nested.property('position.offset', 1)
      expect((await keep(engine, 'b', ['2']))[0]?.offset).to.equal(2)
    })
  })
}
