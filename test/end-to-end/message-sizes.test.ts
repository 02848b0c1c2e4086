import type { TokenSocket, TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import SockJS from 'sockjs-client'
import { rejection, useSites } from './fixture.js'

const sockjs = (name: string): TokenSocketOptions => ({
  transports: ['sockjs'],
  sockjs: { transports: [name] },
})

const TRANSPORTS: Readonly<Record<string, TokenSocketOptions>> = {
  'plain WebSocket': { transports: ['websocket'] },
  'SockJS’s WebSocket': sockjs('websocket'),
  'xhr-streaming': sockjs('xhr-streaming'),
  'xhr-polling': sockjs('xhr-polling'),
  eventsource: sockjs('eventsource'),
}

/** Texts by what becomes of them: bytes of a UTF-16 code unit, and how SockJS's clients escape them. */
const TEXTS: Readonly<Record<string, string>> = {
  ASCII: 'x',
  quotes: '"',
  'two bytes': 'é',
  'two bytes that become six': '\u0300',
  'three bytes': '漢',
  'four bytes': '😀',
}

/** Options of the server, and of what sizes how many calls are made in one turn. */
const BURSTS: readonly (readonly [message: number, size: number, count: number])[] = [
  // Most bursts are larger than what one frame or body may bring.
  [4096, 300, 400],
  [16_384, 2100, 100],
  [32_768, 30_000, 6],
]

describe('messages of any size', () => {
  const start = useSites()

  // Its own SockJS is the one for browsers, which finds no transport in Node.
  before(() => void Object.assign(globalThis, { SockJS }))

  after(() => void Reflect.deleteProperty(globalThis, 'SockJS'))

  function lossesOf(client: TokenSocket): string[] {
    const losses: string[] = []
    client.on('disconnect', ({ code }) => losses.push(code))
    return losses
  }

  for (const [title, options] of Object.entries(TRANSPORTS)) {
    for (const [message, size, count] of BURSTS) {
      it(`${count} calls of ${size} bytes in one turn arrive by ${title}, whatever is in them`, async () => {
        const site = await start({ limits: { message } })
        const client = await site.ready(options)
        const losses = lossesOf(client)
        for (const [what, text] of Object.entries(TEXTS)) {
          const data = text.repeat(size / Buffer.byteLength(JSON.stringify(text).slice(1, -1)))
          const calls = Array.from({ length: count }, (_, index) => client.rpc('echo', [index, data]))
          const answers = (await Promise.all(calls)) as [number, string][]
          expect(
            answers.every(([index, answer], at) => index === at && answer === data),
            what,
          ).to.equal(true)
        }
        expect(losses).to.deep.equal([])
      })
    }

    it(`a call of just the limit arrives by ${title}, and a larger one is refused before it is sent`, async () => {
      const limit = 20_000
      const site = await start({ limits: { message: limit } })
      const client = await site.ready(options)
      const losses = lossesOf(client)
      const sent: string[] = []
      client.on('frameOut', (frame) => sent.push(frame))
      const neighbour = client.rpc('hang', null, { timeout: 0 })
      for (const text of Object.values(TEXTS)) {
        await client.rpc('echo', '')
        const around = Buffer.byteLength(sent.at(-1) ?? '')
        const bytes = Buffer.byteLength(JSON.stringify(text).slice(1, -1))
        // A longer id takes its place.
        const room = limit - around - 2
        const count = Math.floor(room / bytes)
        const fits = text.repeat(count) + 'x'.repeat(room - count * bytes)
        expect(await client.rpc('echo', fits)).to.equal(fits)
        const error = await rejection(client.rpc('echo', `${fits}${text}xx`))
        expect(error.code).to.equal('too_large')
        expect(error.data).to.deep.equal({ field: 'limits.message of echo', limit })
      }
      for (const frame of sent) expect(Buffer.byteLength(frame)).to.be.at.most(limit)
      expect(losses).to.deep.equal([])
      await client.end()
      expect((await rejection(neighbour)).code).to.equal('ended')
    })
  }

  it('a call that was queued is refused when the limit is known', async () => {
    const site = await start({ limits: { message: 2000 } })
    const client = site.client()
    const [large, small] = [client.rpc('echo', 'x'.repeat(3000)), client.rpc('echo', 'x')]
    expect((await rejection(large)).code).to.equal('too_large')
    expect(await small).to.equal('x')
  })

  it('an answer that is too large is one to the server', async () => {
    const site = await start({ limits: { message: 2000 } })
    const { client, socket } = await site.pair({}, { large: () => '漢'.repeat(700), small: () => 'x' })
    const losses = lossesOf(client)
    expect((await rejection(socket.rpc('large'))).code).to.equal('too_large')
    expect(await socket.rpc('small')).to.equal('x')
    expect(losses).to.deep.equal([])
  })

  for (const [what, call] of Object.entries({
    'orders.add': (client: TokenSocket, data: string) => client.rpc('orders.add', data),
    'room-7': (client: TokenSocket, data: string) => client.publish('room-7', data),
    broadcast: (client: TokenSocket, data: string) => client.broadcast(data),
    sendRaw: async (client: TokenSocket, data: string) => client.sendRaw(data),
  })) {
    it(`what is too large is named: ${what}`, async () => {
      const site = await start({ limits: { message: 2000 } })
      const client = await site.ready()
      const error = await rejection(call(client, 'x'.repeat(2001)))
      expect([error.code, error.data]).to.deep.equal([
        'too_large',
        { field: `limits.message of ${what}`, limit: 2000 },
      ])
      expect(error.message).to.equal(`Too large: limits.message of ${what} (limit 2000)`)
    })
  }
})
