import { createHash } from 'node:crypto'
import type { ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { readClaims } from '#server/claims/claims.js'
import { hashSession } from '#server/claims/subjects.js'
import { matcherOf, readSelector, shownSession } from '#server/cluster/selectors.js'
import { makeSocket } from '../sockets.js'

const ODD = ['__proto__', 'constructor', 'x'.repeat(10_240), '😀', '\ud800', '\u0000', ' ', '"', 'true']

const hash = hashSession('s1')

function thrownBy(run: () => unknown): { readonly code?: string; readonly data?: unknown } {
  try {
    run()
  } catch (error) {
    return error as object
  }
  return {}
}

/** A socket of this user; its data as given. */
function socketOf(uid: string, data: object = {}, more: object = {}): ServerSocket {
  const { socket } = makeSocket({ identity: { claims: readClaims({ uid }), session: hash, ...more } })
  Object.defineProperties(socket.data, Object.getOwnPropertyDescriptors(data))
  return socket
}

describe('readSelector', () => {
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ['nothing', undefined, 'selector'],
    ['null', null, 'selector'],
    ['a text', 'sid', 'selector'],
    ['an empty object', {}, 'selector'],
    ['an empty list', [], 'selector'],
    ['a list', ['sid'], '0'],
    ['an unknown field', { user: 'ann' }, 'user'],
    ['an own __proto__', JSON.parse('{"__proto__":"ann"}'), '__proto__'],
    ['an unknown field beside a known one', { uid: 'ann', user: 'ann' }, 'user'],
    ['two fields', { uid: 'ann', session: 's' }, 'session'],
    ['an undefined uid', { uid: undefined }, 'uid'],
    ['an empty uid', { uid: '' }, 'uid'],
    ['a number as uid', { uid: 7 }, 'uid'],
    ['a null session', { session: null }, 'session'],
    ['an empty channel', { channel: '' }, 'channel'],
    ['an empty where', { where: {} }, 'where'],
    ['an undefined where', { where: undefined }, 'where'],
    ['another word as where', { where: 'everyone' }, 'where'],
    ['a list as where', { where: [] }, 'where'],
    ['an unknown condition', { where: { uid: 'ann', role: 'x' } }, 'where.role'],
    ['an undefined condition', { where: { uid: 'ann', ip: undefined } }, 'where.ip'],
    ['an empty condition', { where: { transport: '' } }, 'where.transport'],
    ['where in where', { where: { where: 'all' } }, 'where.where'],
    ['empty data', { where: { data: {} } }, 'where.data'],
    ['null as data', { where: { data: null } }, 'where.data'],
    ['a list as data', { where: { data: ['a'] } }, 'where.data'],
    ['a text as data', { where: { data: 'a' } }, 'where.data'],
    ['undefined data', { where: { data: { a: undefined } } }, 'where.data.a'],
    ['an object in data', { where: { data: { a: {} } } }, 'where.data.a'],
    ['NaN in data', { where: { data: { a: 1, b: Number.NaN } } }, 'where.data.b'],
    ['Infinity in data', { where: { data: { a: Number.POSITIVE_INFINITY } } }, 'where.data.a'],
    ['a BigInt in data', { where: { data: { a: 1n } } }, 'where.data.a'],
    ['a function in data', { where: { data: { a: () => 1 } } }, 'where.data.a'],
  ]
  for (const [name, who, field] of wrong) {
    it(`refuses ${name}, and names ${field}`, () => {
      const error = thrownBy(() => readSelector(who))
      expect([error.code, error.data]).to.deep.equal(['bad_message', { field }])
    })
  }

  it('refuses what is too large to be asked', () => {
    const { code, data } = thrownBy(() => readSelector({ uid: 'x'.repeat(70_000) }))
    expect([code, data]).to.deep.equal(['too_large', { field: 'selector', limit: 65_536 }])
  })

  it('refuses a socket, of which it has too many fields', () => {
    expect(thrownBy(() => readSelector(socketOf('ann'))).code).to.equal('bad_message')
  })

  it('takes odd values as they are', () => {
    for (const value of ODD) {
      expect(readSelector({ uid: value })).to.deep.equal({ uid: value })
      const { data } = readSelector({ where: { data: JSON.parse(JSON.stringify({ [value]: value })) } })
      expect(Object.entries(data ?? {})).to.deep.equal([[value, value]])
    }
  })

  it('means all by a word only', () => {
    expect(readSelector({ where: 'all' })).to.deep.equal({})
  })

  it('keeps of a session its hash, and takes the hash that is shown', () => {
    expect(readSelector({ session: 's1' })).to.deep.equal({ session: hash })
    expect(readSelector({ where: { session: shownSession(hash) } })).to.deep.equal({ session: hash })
    const short = `sha256:${createHash('sha256').update('x').digest('hex')}`
    expect(readSelector({ session: short })).to.deep.equal({ session: hashSession(short) })
  })
})

describe('matcherOf', () => {
  const isMeant = (socket: ServerSocket, selection: object) => matcherOf(selection).matches(socket)

  it('wants all conditions to hold', () => {
    const socket = socketOf('ann', { device: 'phone' }, { sid: 'a.b', ip: '1.2.3.4' })
    socket.addChannel('news')
    const met = {
      sid: 'a.b',
      uid: 'ann',
      session: hash,
      channel: 'news',
      transport: socket.transport,
      ip: '1.2.3.4',
      data: { device: 'phone' },
    }
    expect(isMeant(socket, {})).to.equal(true)
    expect(isMeant(socket, met)).to.equal(true)
    for (const field of Object.keys(met)) {
      expect(isMeant(socket, { [field]: met[field as 'uid'] }), field).to.equal(true)
      const value = field === 'data' ? { device: 'laptop' } : 'another'
      expect(isMeant(socket, { ...met, [field]: value }), field).to.equal(false)
    }
  })

  it('compares data by its kind, and own properties only', () => {
    const socket = socketOf('ann', { one: 1, no: false, none: null, text: '1' })
    for (const data of [{ one: 1 }, { no: false }, { none: null }, { text: '1', one: 1 }])
      expect(isMeant(socket, { data })).to.equal(true)
    for (const data of [{ one: '1' }, { no: 0 }, { none: false }, { gone: null }, { one: 1, text: 1 }])
      expect(isMeant(socket, { data })).to.equal(false)
    for (const name of ['toString', 'constructor', '__proto__'])
      expect(isMeant(socket, { data: { [name]: null } })).to.equal(false)
  })

  it('finds odd keys and values', () => {
    for (const value of ODD) {
      const socket = socketOf('ann')
      Object.defineProperty(socket.data, value, { value })
      expect(
        isMeant(socket, readSelector({ where: { data: Object.fromEntries([[value, value]]) } })),
      ).to.equal(true)
    }
  })

  it('reads no accessors', () => {
    const getter = {
      get device(): string {
        throw new Error('of the test')
      },
    }
    expect(isMeant(socketOf('ann', getter), { data: { device: 'phone' } })).to.equal(false)
  })

  it('makes no data where there is none', () => {
    const { socket } = makeSocket()
    expect(isMeant(socket, { data: { a: 1 } })).to.equal(false)
    expect(socket.usedData).to.equal(undefined)
  })

  it('says what may still be met', () => {
    const socket = socketOf('ann')
    const may = (selection: object) => matcherOf(selection).mayMatch(socket)
    expect(may({ uid: 'ann', channel: 'later', data: { later: 1 } })).to.equal(true)
    expect(may({ uid: 'bob', channel: 'later' })).to.equal(false)
  })

  it('refuses a condition of a later version, which it would leave out', () => {
    expect(thrownBy(() => matcherOf({ uid: 'ann', planet: 'mars' } as never)).data).to.deep.equal({
      field: 'planet',
    })
  })
})
