import { type HistoryQuery, MemoryEngine, type Publication } from '@token-socket/server'
import { expect } from 'chai'
import { HistoryAnswers, type HistoryAnswersOwner } from '#server/channels/history-answers.js'
import { rejection } from '../protocol/rejection.js'
import { makeSocket } from './sockets.js'

describe('HistoryAnswers', () => {
  let engine: MemoryEngine

  beforeEach(() => {
    engine = new MemoryEngine()
  })

  afterEach(() => engine.close())

  const keep = async (texts: readonly string[]) => {
    for (const json of texts)
      await engine.broker.publish({ channel: 'a', json }, { retention: { size: 1000, ttl: 60_000 } })
  }

  const make = (more: Partial<HistoryAnswersOwner> = {}) =>
    new HistoryAnswers({
      history: engine.history,
      access: { historyStart: () => 0 },
      hub: { jsonFor: (_socket, { json }: Publication) => json },
      limits: { historyPage: 1000 },
      policy: { mayKeep: () => false },
      ...more,
    })

  /** What a client gets. */
  async function ask(answers: HistoryAnswers, query: object = {}) {
    const { socket } = makeSocket()
    const data = await answers.read(socket, { type: 'history', id: '1', channel: 'a', ...query })
    const { publications, position, more } = JSON.parse(data?.json ?? '{}')
    const texts = publications.map((one: { data: unknown }) => one.data)
    return { texts, more, offset: position?.offset, last: publications.at(-1)?.id }
  }

  it('gives the kept JSON as it is, in the shape of the wire', async () => {
    await engine.broker.publish(
      { channel: 'a', json: '{ "x" : "\\u2028" }', event: 'e', meta: '{"uid":"u"}', except: 'sid' },
      { retention: { size: 1, ttl: 60_000 } },
    )
    const { publications, position } = await engine.history.read('a', { limit: 1 })
    const [{ id, epoch } = { id: '', epoch: '' }] = publications
    const { socket } = makeSocket()
    const data = await make().read(socket, { type: 'history', id: '1', channel: 'a' })
    expect(data?.json).to.include('"data":{ "x" : "\\u2028" }')
    expect(JSON.parse(data?.json ?? '')).to.deep.equal({
      position: { ...position },
      publications: [
        { channel: 'a', data: { x: '\u2028' }, id, event: 'e', epoch, offset: 1, meta: { uid: 'u' } },
      ],
    })
  })

  it('bounds a page in bytes and in number, and says that there is more', async () => {
    await keep(Array(5).fill(`"${'x'.repeat(400)}"`))
    const answers = make()
    const first = await ask(answers)
    expect([first.texts.length, first.more, first.offset]).to.deep.equal([2, true, 5])
    const second = await ask(answers, { after: first.last })
    expect([second.texts.length, second.more]).to.deep.equal([2, true])
    const third = await ask(answers, { after: second.last })
    expect([third.texts.length, third.more]).to.deep.equal([1, undefined])
    expect((await ask(answers, { limit: 1 })).texts).to.have.length(1)
  })

  it('gives one that is larger than a page alone', async () => {
    await keep([`"${'x'.repeat(5000)}"`, '2'])
    const page = await ask(make())
    expect([page.texts[0].length, page.texts.length, page.more]).to.deep.equal([5000, 1, true])
  })

  for (const reverse of [false, true]) {
    it(`passes over pages of which the filter leaves nothing, ${reverse ? 'the latest first' : 'oldest first'}`, async () => {
      const texts = Array.from({ length: 30 }, (_, index) => `"${index} ${'x'.repeat(300)}"`)
      await keep(texts)
      const wanted = reverse ? '2 ' : '27 '
      const hub = {
        jsonFor: (_socket: unknown, { json }: Publication) =>
          json.startsWith(`"${wanted}`) ? '"seen"' : undefined,
      }
      expect((await ask(make({ hub }), { reverse })).texts).to.deep.equal(['seen'])
      expect((await ask(make({ hub: { jsonFor: () => undefined } }), { reverse })).texts).to.deep.equal([])
    })
  }

  it('reads nothing while the client has not read what it was sent before, and nothing once it is gone', async () => {
    await keep(['1'])
    const queries: HistoryQuery[] = []
    const history = {
      read: (channel: string, query: HistoryQuery) => {
        queries.push(query)
        return engine.history.read(channel, query)
      },
      position: (channel: string) => engine.history.position(channel),
    }
    const answers = make({ history })
    const { socket, connection, client } = makeSocket()
    connection.bufferedBytes = 1_000_000
    const page = answers.read(socket, { type: 'history', id: '1', channel: 'a' })
    await new Promise((resolve) => setImmediate(resolve))
    expect(queries).to.deep.equal([])
    client.close(1000, '')
    expect(await page).to.equal(undefined)
    expect(queries).to.deep.equal([])
  })

  it('rejects with forbidden where nothing may be read', async () => {
    const answers = make({ access: { historyStart: () => undefined } })
    expect((await rejection(ask(answers))).code).to.equal('forbidden')
  })
})
