import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import sinon from 'sinon'
import { type BodyLimits, RequestBodies } from '#server/transports/request-bodies.js'

const LIMITS: BodyLimits = { bodyBytes: 100, bodyBytesPerAddress: 60, bodyTimeout: 1000 }

interface BodySettings {
  /** As declared. */
  readonly length?: number
  readonly isStranger?: boolean
}

describe('RequestBodies', () => {
  let bodies: RequestBodies
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    bodies = new RequestBodies(LIMITS)
  })
  afterEach(() => clock.restore())

  /** Starts to read a body of an address that may have so many bytes. */
  function read(address = 'a', limit = 50, { length, isStranger = false }: BodySettings = {}) {
    const headers = length === undefined ? {} : { 'content-length': String(length) }
    const request = Object.assign(new PassThrough(), { headers })
    return { request, ...bodies.read(request as unknown as IncomingMessage, { address, limit, isStranger }) }
  }

  async function write(request: PassThrough, bytes: number): Promise<void> {
    request.write(Buffer.alloc(bytes, 97))
    await new Promise(setImmediate)
  }

  it('gives a whole body, however it comes, and counts it no longer', async () => {
    const { request, result } = read()
    for (const part of ['a', 'bc', '']) request.write(part)
    await write(request, 40)
    expect([bodies.size, bodies.bytes]).to.deep.equal([1, 43])
    request.end('z')
    expect(String(await result)).to.equal(`abc${'a'.repeat(40)}z`)
    expect([bodies.size, bodies.bytes]).to.deep.equal([0, 0])
  })

  it('keeps no buffer larger than the body may be', async () => {
    bodies = new RequestBodies({ ...LIMITS, bodyBytes: 10_000, bodyBytesPerAddress: 10_000 })
    const large = read('a', 1100)
    await write(large.request, 1000)
    await write(large.request, 50)
    large.request.end()
    expect(((await large.result) as Buffer).buffer.byteLength).to.equal(1100)
  })

  it('refuses one by its declared length, without reading', async () => {
    expect(await read('a', 50, { length: 51 }).result).to.equal('too_large')
    expect(bodies.size).to.equal(0)
  })

  /** How a body ends that is never whole. Each gives back what it was counted with. */
  const failures: readonly (readonly [why: string, (body: ReturnType<typeof read>) => unknown])[] = [
    ['too_large', ({ request }) => write(request, 51)],
    ['too_slow', () => clock.tick(1000)],
    ['ended', (body) => body.end()],
    ['broken_off', ({ request }) => request.destroy()],
  ]
  for (const [why, fail] of failures) {
    it(`says ${why}, and counts the body no longer`, async () => {
      const body = read()
      await write(body.request, 10)
      await fail(body)
      expect(await body.result).to.equal(why)
      expect([bodies.size, bodies.bytes]).to.deep.equal([0, 0])
      body.end()
      expect(clock.countTimers()).to.equal(0)
    })
  }

  it('is not put off by a client that sends a byte now and then', async () => {
    const { request, result } = read()
    for (let at = 0; at < 10; at += 1) {
      await write(request, 1)
      clock.tick(100)
    }
    expect(await result).to.equal('too_slow')
  })

  it('bounds the bytes of one address, and others go on', async () => {
    const [first, second, other] = [read('a'), read('a'), read('b')]
    await write(first.request, 40)
    await write(other.request, 20)
    await write(second.request, 21)
    expect(await second.result).to.equal('no_room')
    expect(bodies.bytes).to.equal(60)
    other.request.end()
    expect(await other.result).to.have.length(20)
    first.request.end()
    await first.result
    const again = read('a')
    await write(again.request, 50)
    again.request.end()
    expect(await again.result).to.have.length(50)
  })

  const stranger = { isStranger: true }

  it('leaves strangers a quarter of the room of an address, so that its users go on', async () => {
    const [first, second, elsewhere, user] = [
      read('a', 50, stranger),
      read('a', 50, stranger),
      read('b', 50, stranger),
      read('a'),
    ]
    await write(first.request, 10)
    await write(second.request, 6)
    expect(await second.result).to.equal('no_room')
    await write(user.request, 50)
    await write(elsewhere.request, 15)
    expect(bodies.bytes).to.equal(75)
    for (const { request, result } of [first, user, elsewhere]) {
      request.end()
      expect(await result).to.be.instanceOf(Buffer)
    }
    const again = read('a', 50, stranger)
    await write(again.request, 15)
    again.request.end()
    expect(await again.result).to.have.length(15)
  })

  it('leaves strangers a quarter of all room', async () => {
    const all = ['a', 'b', 'c'].map((address) => read(address, 50, stranger))
    for (const { request } of all.slice(0, 2)) await write(request, 12)
    await write(all[2]?.request as PassThrough, 2)
    expect(await all[2]?.result).to.equal('no_room')
    const user = read('d')
    await write(user.request, 50)
    expect(bodies.bytes).to.equal(74)
  })

  it('bounds the bytes of all', async () => {
    const [first, second, third] = [read('a'), read('b'), read('c')]
    await write(first.request, 50)
    await write(second.request, 50)
    await write(third.request, 1)
    expect(await third.result).to.equal('no_room')
    expect(bodies.bytes).to.equal(100)
  })
})
