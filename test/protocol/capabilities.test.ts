import {
  CAPABILITIES,
  decodeClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  encodeData,
  FrameError,
} from '@token-socket/protocol'
import { expect } from 'chai'
import { thrownBy } from './rejection.js'

/** What a peer may say that it can do, and what this package makes of it. */
const GIVEN: readonly (readonly [title: string, can: unknown, read: readonly string[] | undefined])[] = [
  ['the names that it knows', ['cancel'], ['cancel']],
  ['a name once that comes twice', ['cancel', 'cancel'], ['cancel']],
  ['no names that it does not know', ['flying', '__proto__', 'constructor'], []],
  ['no names among 10,000 that it does not know', Array.from({ length: 10_000 }, (_, at) => `${at}`), []],
  ['no long names', ['x'.repeat(100_000)], []],
  ['nothing that is no text', [1, null, {}, ['cancel']], []],
  ['nothing of an empty list', [], []],
  ['nothing where there is no list', 'cancel', undefined],
  ['nothing of an object', { cancel: true, includes: true, length: 1 }, undefined],
  ['nothing of null', null, undefined],
  ['nothing where there is none', undefined, undefined],
]

describe('what peers can do', () => {
  for (const [title, can, read] of GIVEN) {
    it(`is, of a client, ${title}`, () => {
      const message = decodeClientMessage(encodeData({ rpc: 'auth', token: 'T', uuid: '1', version: 1, can }))
      expect((message as { can?: unknown }).can).to.deep.equal(read)
    })

    it(`is, of a server, ${title}`, () => {
      const frame = { rpc: 'auth', uuid: '1', resp: 'success', version: 1, sid: 's', can }
      const { session } = decodeServerMessage(encodeData(frame)) as { session?: { can?: unknown } }
      expect(session?.can).to.deep.equal(read)
    })
  }

  it('is nothing of the legacy server, which repeats what the client said', () => {
    const frame = { rpc: 'auth', uuid: '1', resp: 'success', version: 1, can: CAPABILITIES }
    expect(decodeServerMessage(encodeData(frame))).not.to.have.property('session')
  })
})

describe('the time that a caller waits', () => {
  const timeoutOf = (timeout: unknown) =>
    (decodeClientMessage(encodeData({ rpc: 'a', uuid: '1', timeout })) as { timeout?: number }).timeout

  it('is a number, 0 or above', () => {
    for (const timeout of [0, 0.5, 1, 1e12]) expect(timeoutOf(timeout)).to.equal(timeout)
  })

  it('is 0 for ever, which JSON has no number for', () => {
    const frame = encodeClientMessage({
      type: 'call',
      id: '1',
      name: 'a',
      data: 1,
      timeout: Number.POSITIVE_INFINITY,
    })
    expect(decodeClientMessage(frame)).to.have.property('timeout', 0)
  })

  for (const timeout of [-1, '5', true, [], {}]) {
    it(`is refused when it is ${encodeData(timeout)}`, () => {
      const error = thrownBy(() => timeoutOf(timeout)) as unknown as FrameError
      expect(error).to.be.instanceOf(FrameError)
      expect(error.error).to.deep.include({ code: 'bad_message', data: { field: 'timeout' } })
      expect(error.id).to.equal('1')
    })
  }
})

describe('a cancel', () => {
  for (const reason of [undefined, 'because', 1, null]) {
    it(`counts as aborted for the reason ${encodeData(reason)}`, () => {
      const frame = encodeData({ rpc: '_cancel', req: { uuid: '1', reason } })
      expect(decodeClientMessage(frame)).to.deep.equal({ type: 'cancel', id: '1', reason: 'aborted' })
    })
  }

  for (const req of [undefined, null, 1, [], {}, { uuid: 1 }, { uuid: '' }, { uuid: 'x'.repeat(65) }]) {
    it(`is wrong, and not answered, with the req ${encodeData(req).slice(0, 20)}`, () => {
      const frame = encodeData({ rpc: '_cancel', req, uuid: '7' })
      const error = thrownBy(() => decodeClientMessage(frame)) as unknown as FrameError
      expect(error).to.be.instanceOf(FrameError)
      expect(error.id).to.equal(undefined)
    })
  }
})
