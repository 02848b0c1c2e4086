import { expect } from 'chai'
import { inNodeOnly } from '../only-in.js'
import { type Site, turn, until, useSites } from './fixture.js'
import { MB, MemoryGrowth } from './memory.js'
import { frameOf, OPCODES, RawWebSocket } from './raw-websocket.js'

const { continuation, text, binary, close, ping, pong } = OPCODES
const PATHS = ['/sockets/websocket', '/sockets/000/raw/websocket'] as const

/** Fragments of a text that are not the last. */
const MORE = { fin: false }

/** How sockets end from now on, as `disconnected` reports it. */
function endsOf(site: Site): unknown[] {
  const ends: unknown[] = []
  site.sockets.on('disconnected', (_socket, reason, { code }) => ends.push([reason, code]))
  return ends
}

inNodeOnly('Bun brings a `ws` of its own').describe('frames of a WebSocket', () => {
  const start = useSites()

  for (const path of PATHS) {
    describe(`on ${path}`, () => {
      /** A request as this path's frames carry it. */
      const carried = (message: object) =>
        path === PATHS[0] ? JSON.stringify(message) : JSON.stringify([JSON.stringify(message)])

      async function member(site: Site): Promise<RawWebSocket> {
        const raw = await RawWebSocket.open(site.port, path)
        raw.write(frameOf(text, carried({ rpc: 'auth', token: await site.token(), uuid: 'auth' })))
        await raw.find(text, (payload) => payload.includes('success'))
        return raw
      }

      const answered = (raw: RawWebSocket, value: string) =>
        raw.find(text, (payload) => payload.includes('echo') && payload.includes(value))

      it('a message in many fragments is one message, wherever it is cut', async () => {
        const site = await start()
        const raw = await member(site)
        const bytes = Buffer.from(carried({ rpc: 'echo', req: 'Grüße, 世界 🌍', uuid: '1' }))
        const fragments = [...bytes].map((byte, index) =>
          frameOf(index === 0 ? text : continuation, Buffer.from([byte]), MORE),
        )
        raw.write(...fragments, frameOf(continuation, ''))
        await answered(raw, 'Grüße, 世界 🌍')
        raw.destroy()
      })

      it('pings between the fragments of a message are answered before it, and leave it whole', async () => {
        const site = await start()
        const raw = await member(site)
        const message = carried({ rpc: 'echo', req: 'whole', uuid: '1' })
        raw.write(frameOf(text, message.slice(0, 5), MORE), frameOf(ping, 'first'), frameOf(pong, 'unasked'))
        expect(await raw.find(pong)).to.equal('first')
        raw.write(frameOf(continuation, message.slice(5, 9), MORE), frameOf(ping, 'second'))
        expect(await raw.find(pong, (payload) => payload === 'second')).to.equal('second')
        raw.write(frameOf(continuation, message.slice(9)))
        await answered(raw, 'whole')
        raw.destroy()
      })

      it('a ping of 125 bytes is answered with the same', async () => {
        const site = await start()
        const raw = await member(site)
        raw.write(frameOf(ping, 'x'.repeat(125)))
        expect(await raw.find(pong)).to.equal('x'.repeat(125))
        raw.destroy()
      })

      const broken: readonly (readonly [what: string, code: number, frames: readonly Buffer[]])[] = [
        ['a ping in fragments', 1002, [frameOf(ping, 'a', MORE), frameOf(continuation, 'b')]],
        ['a close in fragments', 1002, [frameOf(close, Buffer.from([3, 232]), MORE)]],
        ['a ping of 126 bytes', 1002, [frameOf(ping, 'x'.repeat(126))]],
        ['a pong of 70,000 bytes', 1002, [frameOf(pong, 'x'.repeat(70_000))]],
        ['a close frame of one byte', 1002, [frameOf(close, 'x')]],
        ['a close code that nobody may send', 1002, [frameOf(close, Buffer.from([3, 237]))]],
        ['a close reason that is not UTF-8', 1007, [frameOf(close, Buffer.from([3, 232, 0xff]))]],
        ['a continuation of nothing', 1002, [frameOf(continuation, '"a"')]],
        ['a text within a text', 1002, [frameOf(text, '"a', MORE), frameOf(text, '"b"')]],
        ['a binary frame within a text', 1002, [frameOf(text, '"a', MORE), frameOf(binary, 'b"')]],
        ['a binary message in fragments', 1003, [frameOf(binary, '"', MORE), frameOf(continuation, '"')]],
        ['an unmasked text', 1002, [frameOf(text, '"a"', { masked: false })]],
        ['an unmasked ping', 1002, [frameOf(ping, 'a', { masked: false })]],
        ...[1, 2, 4, 7].map(
          (reserved) =>
            [`the reserved bits ${reserved}`, 1002, [frameOf(text, '"a"', { reserved })]] as const,
        ),
        ...[3, 7, 11, 15].map(
          (opcode) => [`the reserved opcode ${opcode}`, 1002, [frameOf(opcode, '"a"')]] as const,
        ),
        [
          'text that stops being UTF-8 in a later fragment',
          1007,
          [frameOf(text, '"a', MORE), frameOf(continuation, Buffer.from([0xc3, 0x28, 0x22]))],
        ],
      ]
      for (const [what, code, frames] of broken) {
        it(`${what} closes with ${code}, which is a protocol_error, and no other socket`, async () => {
          const site = await start()
          const ends = endsOf(site)
          const [raw, other] = [await member(site), await site.ready()]
          raw.write(...frames)
          expect(await raw.closed).to.equal(code)
          await until(() => ends.length > 0)
          expect(ends).to.deep.equal([['protocol_error', code]])
          expect(await other.rpc('echo', 'unharmed')).to.equal('unharmed')
          expect(site.sockets.sockets()).to.have.length(1)
        })
      }

      for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 3000, 4000, 4007, 4501, 4999]) {
        it(`a client that closes with ${code} has closed, whatever a server means by it`, async () => {
          const site = await start()
          const ends = endsOf(site)
          const raw = await member(site)
          raw.write(frameOf(close, Buffer.from([code >> 8, code & 0xff, ...Buffer.from('slow_consumer')])))
          await until(() => ends.length > 0)
          expect(ends).to.deep.equal([['client_closed', code]])
        })
      }

      it('a client that closes before it has signed in was not refused', async () => {
        const site = await start()
        const raw = await RawWebSocket.open(site.port, path)
        raw.write(frameOf(close, Buffer.from([1008 >> 8, 1008 & 0xff])))
        await until(() => site.log.some(({ message }) => message.startsWith('a connection ended')))
        expect(site.log.filter(({ message }) => message === 'a connection was refused')).to.deep.equal([])
      })

      it('one that sends a broken frame then was refused', async () => {
        const site = await start()
        const raw = await RawWebSocket.open(site.port, path)
        raw.write(frameOf(ping, 'a', { masked: false }))
        await until(() => site.log.some(({ message }) => message === 'a connection was refused'))
      })

      it('a frame of more than the limit closes with 1009 as soon as it says how long it is', async () => {
        const site = await start({ limits: { message: 50_000 } })
        const ends = endsOf(site)
        const [raw, other] = [await member(site), await site.ready()]
        raw.write(frameOf(text, 'x'.repeat(4 * 50_000)).subarray(0, 100))
        expect(await raw.closed).to.equal(1009)
        await until(() => ends.length > 0)
        expect(ends).to.deep.equal([['too_large', 1009]])
        expect(await other.rpc('echo', 'unharmed')).to.equal('unharmed')
      })

      it('a frame that says it has 2⁶² bytes closes with 1009', async () => {
        const site = await start()
        const raw = await member(site)
        raw.write(Buffer.from([0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
        expect(await raw.closed).to.equal(1009)
      })

      it('fragments that are small, and together more than the limit, close with 1009', async () => {
        const site = await start({ limits: { message: 50_000 } })
        const raw = await member(site)
        const fragment = frameOf(continuation, 'x'.repeat(10_000), MORE)
        raw.write(frameOf(text, '"', MORE), ...Array.from({ length: 20 }, () => fragment))
        expect(await raw.closed).to.equal(1009)
      })

      for (const [what, payload] of [
        ['empty', ''],
        ['tiny', 'x'],
      ] as const) {
        it(`${what} fragments without end are closed with 1008 before they weigh anything`, async () => {
          const site = await start()
          const [raw, other] = [await member(site), await site.ready()]
          const growth = new MemoryGrowth()
          const fragments = Buffer.concat(
            Array.from({ length: 1000 }, () => frameOf(continuation, payload, MORE)),
          )
          raw.write(frameOf(text, '', MORE))
          for (let count = 0; count < 100 && !raw.socket.destroyed; count += 1) {
            raw.write(fragments)
            await other.rpc('echo')
          }
          expect(await raw.closed).to.equal(1008)
          expect(growth.most).to.be.below(8 * MB)
          await site.servesHonestClients()
        })
      }

      it('what comes around fragments is kept with a few of them only', async () => {
        const site = await start()
        const [raw, other] = [await member(site), await site.ready()]
        const growth = new MemoryGrowth()
        // Each fragment is one byte in a packet of 64 kB of pongs, which nobody answers.
        const pongs = Array.from({ length: 498 }, () => frameOf(pong, 'x'.repeat(125)))
        const packet = Buffer.concat([frameOf(continuation, 'x', MORE), ...pongs])
        raw.write(frameOf(text, 'x', MORE))
        for (let count = 0; count < 1000 && !raw.socket.destroyed; count += 1) {
          raw.write(packet)
          await other.rpc('echo')
          if (count % 50 === 0) growth.look()
        }
        expect(await raw.closed).to.equal(1008)
        expect(growth.most).to.be.below(32 * MB)
        await site.servesHonestClients()
      })

      it('a frame that comes byte by byte is closed with 1008 before it weighs anything', async () => {
        const site = await start()
        const raw = await member(site)
        const growth = new MemoryGrowth()
        raw.write(frameOf(text, 'x'.repeat(900_000)).subarray(0, 20))
        for (let count = 0; count < 200_000 && !raw.socket.destroyed; count += 1) {
          raw.write(Buffer.from('x'))
          await turn()
          if (count % 4000 === 0) growth.look()
        }
        expect(await raw.closed).to.equal(1008)
        expect(growth.most).to.be.below(16 * MB)
        await site.servesHonestClients()
      })
    })
  }

  describe('the `limits.fragments` option', () => {
    /** Sends a call of about 1 MiB in so many fragments. */
    async function inFragments(site: Site, count: number): Promise<RawWebSocket> {
      const raw = await RawWebSocket.open(site.port)
      raw.write(frameOf(text, JSON.stringify({ rpc: 'auth', token: await site.token(), uuid: 'auth' })))
      await raw.find(text)
      const bytes = Buffer.from(JSON.stringify({ rpc: 'echo', req: 'x'.repeat(MB - 100), uuid: '1' }))
      const size = Math.ceil(bytes.length / count)
      for (let at = 0; at < bytes.length; at += size) {
        const fin = at + size >= bytes.length
        raw.write(frameOf(at === 0 ? text : continuation, bytes.subarray(at, at + size), { fin }))
      }
      return raw
    }

    for (const [limits, good, bad] of [
      [{}, 2000, 2100],
      [{ fragments: 5000 }, 4900, 5100],
      [{ fragments: 1 }, 256, 300],
    ] as const) {
      it(`takes ${good} fragments, and closes with 1008 on ${bad}, with ${JSON.stringify(limits)}`, async () => {
        const site = await start({ limits })
        const taken = await inFragments(site, good)
        await taken.find(text, (payload) => payload.includes('echo'))
        taken.destroy()
        expect(await (await inFragments(site, bad)).closed).to.equal(1008)
      })
    }
  })

  it('a message of the limit may come in hundreds of fragments', async () => {
    const site = await start()
    const raw = await RawWebSocket.open(site.port)
    raw.write(frameOf(text, JSON.stringify({ rpc: 'auth', token: await site.token(), uuid: 'auth' })))
    await raw.find(text)
    const size = MB - JSON.stringify({ rpc: 'echo', req: '', uuid: '1' }).length
    const bytes = Buffer.from(JSON.stringify({ rpc: 'echo', req: 'x'.repeat(size), uuid: '1' }))
    for (let at = 0; at < bytes.length; at += 4800)
      raw.write(frameOf(at === 0 ? text : continuation, bytes.subarray(at, at + 4800), MORE))
    raw.write(frameOf(continuation))
    const answer = await raw.find(text, (payload) => payload.includes('echo'))
    expect(JSON.parse(answer).resp).to.have.length(size)
    raw.destroy()
  })
})
