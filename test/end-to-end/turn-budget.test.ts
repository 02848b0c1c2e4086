import { expect } from 'chai'
import { Random } from '../protocol/random.js'
import { type Site, turn, until, useSites } from './fixture.js'
import { CARRIERS, type Frame, type Peer } from './peer.js'
import { frameOf, OPCODES, RawWebSocket } from './raw-websocket.js'

/** Messages of one socket in one turn. */
const OF_ONE = 64

/** Counts the turns of the event loop, and the messages of each name in each turn. */
class TurnCounter {
  readonly counts = new Map<string, number>()
  most = 0
  #isOn = true

  constructor() {
    void this.#run()
  }

  count(name: string): void {
    const count = (this.counts.get(name) ?? 0) + 1
    this.counts.set(name, count)
    this.most = Math.max(this.most, count)
  }

  stop(): void {
    this.#isOn = false
  }

  async #run(): Promise<void> {
    while (this.#isOn) {
      await turn()
      this.counts.clear()
    }
  }
}

/** A message, and how it is answered: by its `uuid`, by an error without one, or not at all. */
type Generated = readonly [text: string, answered: 'by uuid' | 'as error' | 'not']

function generate(random: Random, index: number): Generated {
  const uuid = `u${index}`
  const request = (frame: object): Generated => [JSON.stringify({ ...frame, uuid }), 'by uuid']
  const wrong = (text: string): Generated => [text, 'as error']
  switch (random.number(9)) {
    case 0:
      return wrong(random.pick(['x', '{', '[]', '5', '"a"', '{}', '{"rpc":"echo"}', '{"uuid":"u"}']))
    case 1:
      return request({ rpc: '_publish', req: { data: 1 } })
    case 2:
      return request({ rpc: `no.such.${index}` })
    case 3:
      return [JSON.stringify({ rpc: '_rpc', fid: `${index}`, resp: { data: 1 } }), 'not']
    case 4:
      return request({ rpc: 'auth', token: 'x' })
    case 5:
      return request({ rpc: '_publish', req: { channel: 'log', data: index } })
    default:
      return request({ rpc: 'tick', req: index })
  }
}

/** Sends messages in a few frames of very different sizes. */
function sendInFrames(peer: Peer, random: Random, texts: readonly string[]): void {
  for (let at = 0; at < texts.length; ) {
    const size = random.pick([1, 1, 1, 3, 20, 400])
    peer.sendTexts(...texts.slice(at, at + size))
    at += size
  }
}

describe('the budget of a turn', () => {
  const start = useSites()

  for (const carrier of CARRIERS) {
    for (const seed of [1, 2, 3]) {
      it(`answers each request of a mixture exactly once, a few in a turn, over ${carrier} (seed ${seed})`, async () => {
        const random = new Random(seed)
        const counter = new TurnCounter()
        const tick = (_auth: unknown, data: unknown, _callback: unknown, { sid }: { sid: string }) => {
          counter.count(sid)
          return data
        }
        const echo = (_auth: unknown, data: unknown) => data
        const site = await start({ socketController: { tick, echo } })
        const peer = await site.member(carrier)
        await peer.ask({ rpc: '_subscribe', req: { channel: 'log' } })
        const before = peer.frames.length
        const messages = Array.from({ length: 1500 }, (_, index) => generate(random, index))
        sendInFrames(
          peer,
          random,
          messages.map(([text]) => text),
        )
        await peer.ask({ rpc: 'tick', req: 1, uuid: 'last' })
        const uuids = messages.flatMap(([text, how]) => (how === 'by uuid' ? [JSON.parse(text).uuid] : []))
        const answers = () => peer.frames.slice(before).filter(({ uuid }) => /^u\d/.test(String(uuid)))
        await until(() => answers().length >= uuids.length)
        await peer.ask({ rpc: 'tick', req: 1, uuid: 'after' })
        counter.stop()
        expect(answers().map(({ uuid }) => uuid)).to.have.members(uuids)
        const errors = peer.frames.slice(before).filter(({ rpc, code }) => !rpc && code === 'bad_message')
        expect(errors).to.have.length(messages.filter(([, how]) => how === 'as error').length)
        const published = messages.flatMap(([text]) => {
          const { rpc, req } = text.includes('"channel":"log"') ? JSON.parse(text) : ({} as Frame)
          return rpc === '_publish' ? [req.data] : []
        })
        const heard = peer.frames.filter(({ channel }) => channel === 'log').map(({ message }) => message)
        expect(heard).to.deep.equal(published)
        // Two turns of the loop may fall between two looks of the counter.
        expect(counter.most).to.be.within(1, 2 * OF_ONE)
      })
    }

    it(`serves another socket between the messages of a flood over ${carrier}`, async () => {
      let flooded = 0
      const site = await start({
        socketController: {
          flood: () => {
            flooded += 1
          },
          echo: () => flooded,
        },
        limits: { rate: 1e9 },
      })
      const [peer, other] = [await site.member(carrier), await site.member()]
      const texts = Array.from({ length: 20_000 }, (_, index) =>
        JSON.stringify({ rpc: 'flood', uuid: `${index}` }),
      )
      peer.sendTexts(...texts)
      await until(() => flooded > 0)
      const { resp } = await other.ask({ rpc: 'echo' })
      expect(resp).to.be.within(1, 5000)
      await until(() => flooded === texts.length)
    })
  }

  describe('closes a socket that sends', () => {
    const floods: readonly (readonly [what: string, code: number, texts: (count: number) => string])[] = [
      ['lines that are no JSON', 4503, (count) => 'x\n'.repeat(count)],
      ['empty objects', 4503, (count) => '{}\n'.repeat(count)],
      ['wrong requests', 4503, (count) => '{"rpc":"_publish","req":5,"uuid":"1"}\n'.repeat(count)],
      ['unknown names', 4007, (count) => '{"rpc":"no","uuid":"1"}\n'.repeat(count)],
      ['pings', 4007, (count) => '{"rpc":"_ping","uuid":"1"}\n'.repeat(count)],
      ['second tokens', 4007, (count) => '{"rpc":"auth","token":"t","uuid":"1"}\n'.repeat(count)],
      ['answers to nothing', 4007, (count) => '{"rpc":"_rpc","fid":"1","resp":{}}\n'.repeat(count)],
    ]
    for (const [what, code, texts] of floods) {
      it(`${what} without end, with ${code}, one line in the log, and no harm to others`, async () => {
        const site = await start({ limits: { rate: 100, wrongMessages: 100 } })
        const other = await site.ready()
        const peer = await site.member()
        peer.sendRaw(texts(20_000))
        const { code: seen } = await peer.closed
        expect(seen).to.equal(code)
        expect(await other.rpc('echo', 1)).to.equal(1)
        await until(() => site.sockets.sockets().length === 1)
        const lines = site.log.filter(({ details }) => (details as { code?: unknown }).code === code)
        // One of the socket's own for those who look closely, and one that is counted.
        expect(lines.map(({ level }) => level).sort()).to.deep.equal(['debug', 'info'])
      })
    }

    it('none of these, however many messages it sends within the limits', async () => {
      const site = await start()
      const peer = await site.member()
      peer.sendTexts(...Array.from({ length: 500 }, () => 'x'))
      const requests = Array.from({ length: 5000 }, (_, index) => ({
        rpc: 'echo',
        req: index,
        uuid: `${index}`,
      }))
      peer.send(...requests)
      expect(await peer.find(({ uuid }) => uuid === '4999')).to.include({ resp: 4999 })
    })
  })

  describe('before the sign-in', () => {
    for (const path of ['/sockets/websocket', '/sockets/000/raw/websocket']) {
      const LIMIT = 8192 * (path.includes('raw') ? 6 : 3) + 2048
      const ways: readonly (readonly [what: string, bytes: (raw: RawWebSocket) => void])[] = [
        ['a large frame', (raw) => void raw.write(frameOf(OPCODES.text, 'x'.repeat(900_000)))],
        [
          'the begin of a large frame, bit by bit',
          (raw) => {
            const frame = frameOf(OPCODES.text, 'x'.repeat(900_000))
            for (let at = 0; at < LIMIT; at += 1000) raw.write(frame.subarray(at, at + 1000))
          },
        ],
        [
          'fragments',
          (raw) => {
            raw.write(frameOf(OPCODES.text, 'x', { fin: false }))
            for (let sent = 0; sent < LIMIT; sent += 1000)
              raw.write(frameOf(OPCODES.continuation, 'x'.repeat(1000), { fin: false }))
          },
        ],
        [
          'pongs',
          (raw) => {
            for (let sent = 0; sent < LIMIT; sent += 125) raw.write(frameOf(OPCODES.pong, 'x'.repeat(125)))
          },
        ],
      ]
      for (const [what, send] of ways) {
        it(`${what} over the limit of the first message closes ${path}`, async () => {
          const site = await start()
          const raw = await RawWebSocket.open(site.port, path)
          send(raw)
          expect(await raw.closed).to.be.oneOf([4501, 1008])
          await site.servesHonestClients()
        })
      }
    }

    it('what comes in one packet with the upgrade counts, too', async () => {
      const site = await start()
      const raw = await RawWebSocket.open(site.port, undefined, frameOf(OPCODES.text, 'x'.repeat(60_000)))
      expect(await raw.closed).to.equal(4501)
    })

    it('a token of the whole limit is heard', async () => {
      const site = await start()
      const peer = await site.peer()
      const frame = { rpc: 'auth', token: 'x'.repeat(7900), uuid: '1' }
      peer.send(frame)
      expect((await peer.closed).code).to.equal(4004)
    })

    it('and after it, the limit of a message counts', async () => {
      const site = await start()
      const peer = await site.member()
      const text = 'x'.repeat(500_000)
      expect((await peer.ask({ rpc: 'echo', req: text })).resp).to.equal(text)
    })
  })

  describe('a call and a close in one packet', () => {
    const controller = {
      now: () => 'now',
      soon: async () => {
        await null
        return 'soon'
      },
    }
    for (const path of ['/sockets/websocket', '/sockets/000/raw/websocket']) {
      for (const rpc of ['now', 'soon', 'no.such']) {
        it(`are answered in this order: ${rpc} over ${path}`, async () => {
          const site = await start({ socketController: controller })
          const raw = await RawWebSocket.open(site.port, path)
          const carried = (message: object) =>
            path.includes('raw') ? JSON.stringify([JSON.stringify(message)]) : JSON.stringify(message)
          raw.write(frameOf(OPCODES.text, carried({ rpc: 'auth', token: await site.token(), uuid: 'auth' })))
          await raw.find(OPCODES.text, (payload) => payload.includes('success'))
          raw.write(
            frameOf(OPCODES.text, carried({ rpc, uuid: 'last' })),
            frameOf(OPCODES.close, Buffer.from([0x0f, 0xa5])),
          )
          expect(await raw.find(OPCODES.text, (payload) => payload.includes('last'))).to.include(rpc)
          expect(await raw.closed).to.equal(4005)
        })
      }
    }

    it('are answered for every call of a large frame', async () => {
      const site = await start({ socketController: controller })
      const raw = await RawWebSocket.open(site.port)
      raw.write(
        frameOf(OPCODES.text, JSON.stringify({ rpc: 'auth', token: await site.token(), uuid: 'auth' })),
      )
      await raw.find(OPCODES.text, (payload) => payload.includes('success'))
      const calls = Array.from({ length: 1000 }, (_, index) =>
        JSON.stringify({ rpc: 'now', uuid: `c${index}` }),
      )
      raw.write(frameOf(OPCODES.text, calls.join('\n')), frameOf(OPCODES.close, Buffer.from([0x0f, 0xa5])))
      expect(await raw.find(OPCODES.text, (payload) => payload.includes('"c999"'))).to.include('now')
      expect(await raw.closed).to.equal(4005)
    })
  })

  it('a poller’s next body is read when the messages of the last are handled', async () => {
    let handled = 0
    const first = { rpc: 'count', uuid: 'c' }
    const site = await start({
      socketController: {
        count: () => {
          handled += 1
        },
        seen: () => handled,
        echo: () => handled,
      },
    })
    const peer = await site.member('xhr-polling')
    peer.send(...Array.from({ length: 2000 }, () => first))
    peer.send({ rpc: 'seen', uuid: 'seen' })
    expect(await peer.find(({ uuid }) => uuid === 'seen')).to.include({ resp: 2000 })
  })

  it('more control frames than 100 in a second close with 1008', async () => {
    const site: Site = await start()
    const raw = await RawWebSocket.open(site.port)
    raw.write(frameOf(OPCODES.text, JSON.stringify({ rpc: 'auth', token: await site.token(), uuid: 'auth' })))
    await raw.find(OPCODES.text, (payload) => payload.includes('success'))
    raw.write(...Array.from({ length: 100 }, () => frameOf(OPCODES.pong, 'x')))
    raw.send({ rpc: 'echo', req: 'alive', uuid: '1' })
    await raw.find(OPCODES.text, (payload) => payload.includes('alive'))
    raw.write(...Array.from({ length: 101 }, () => frameOf(OPCODES.ping, 'x')))
    expect(await raw.closed).to.equal(1008)
  })
})
