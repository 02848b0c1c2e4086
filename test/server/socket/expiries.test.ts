import { expect } from 'chai'
import sinon from 'sinon'
import { readClaims } from '#server/claims/claims.js'
import { TurnThrottle } from '#server/runtime/turn-throttle.js'
import { Expiries } from '#server/socket/expiries.js'
import { fakeTurns } from '../../fake-turns.js'
import { makeSocket } from '../sockets.js'

const GRACE = 30_000

describe('Expiries', () => {
  let clock: sinon.SinonFakeTimers
  let expiries: Expiries

  beforeEach(() => {
    clock = sinon.useFakeTimers({ now: 1_800_000_000_000 })
    fakeTurns()
    expiries = new Expiries(new TurnThrottle())
  })

  afterEach(() => sinon.restore())

  /** A socket whose authorization ends in this time. */
  function socketOf(life: number | undefined, canRefresh = true) {
    const expiresAt = life === undefined ? undefined : performance.now() + life
    const socket = { authorization: { expiresAt }, canRefresh, closeFor: sinon.spy() }
    return Object.assign(socket, {
      change(next: number | undefined) {
        socket.authorization = { expiresAt: next === undefined ? undefined : performance.now() + next }
        expiries.follow(socket)
      },
    })
  }

  function followed(life: number | undefined) {
    const socket = socketOf(life)
    expiries.follow(socket)
    return socket
  }

  it('closes a socket as `expired` 30 s after its end, however idle it is', () => {
    const socket = followed(60_000)
    clock.tick(60_000 + GRACE - 1)
    expect(socket.closeFor.called).to.equal(false)
    clock.tick(1)
    expect(socket.closeFor.args).to.deep.equal([['expired']])
    expect(expiries.size).to.equal(0)
  })

  it('keeps nothing of a socket that has closed, whatever is changed after that', async () => {
    const { socket, client } = makeSocket({
      expiries,
      identity: { claims: readClaims({ uid: 'ann' }), expiresAt: performance.now() + 60_000 },
    })
    expect(expiries.size).to.equal(1)
    client.close(1000, '')
    expect(expiries.size).to.equal(0)
    await socket.changeAuthorization({ ...socket.authorization, expiresAt: performance.now() + 1000 })
    expect(expiries.size).to.equal(0)
  })

  it('closes one whose client cannot bring a new token at its end', () => {
    const socket = socketOf(60_000, false)
    expiries.follow(socket)
    clock.tick(59_999)
    expect(socket.closeFor.called).to.equal(false)
    clock.tick(1)
    expect(socket.closeFor.args).to.deep.equal([['expired']])
  })

  it('closes one that has ended long ago in the next turn', () => {
    const socket = followed(-GRACE)
    expect(socket.closeFor.called).to.equal(false)
    clock.tick(1)
    expect(socket.closeFor.args).to.deep.equal([['expired']])
  })

  it('keeps nothing for a socket without an end', () => {
    const socket = followed(undefined)
    expect([expiries.size, clock.countTimers()]).to.deep.equal([0, 0])
    clock.tick(1e9)
    expect(socket.closeFor.called).to.equal(false)
  })

  it('has one timer for all', () => {
    for (let index = 0; index < 1000; index += 1) followed(1000 * (index + 1))
    expect([expiries.size, clock.countTimers()]).to.deep.equal([1000, 1])
  })

  it('follows the end that a change brings: later, earlier, none', () => {
    const [later, earlier, none] = [followed(10_000), followed(50_000), followed(10_000)]
    later.change(100_000)
    earlier.change(5000)
    none.change(undefined)
    clock.tick(5000 + GRACE)
    expect(earlier.closeFor.callCount).to.equal(1)
    clock.tick(60_000)
    expect(later.closeFor.called).to.equal(false)
    clock.tick(60_000)
    expect([later, none].map(({ closeFor }) => closeFor.callCount)).to.deep.equal([1, 0])
  })

  it('follows the end that a change brings to a socket without one', () => {
    const socket = followed(undefined)
    socket.change(1000)
    clock.tick(1000 + GRACE)
    expect(socket.closeFor.callCount).to.equal(1)
  })

  it('forgets a socket that has ended, and leaves no timer', () => {
    const socket = followed(1000)
    expiries.forget(socket)
    expect([expiries.size, clock.countTimers()]).to.deep.equal([0, 0])
  })

  for (const jump of [3_600_000, -3_600_000])
    it(`does not notice that the clock jumps by ${jump} ms`, () => {
      const socket = followed(60_000)
      clock.setSystemTime(Date.now() + jump)
      clock.tick(60_000 + GRACE - 1)
      expect(socket.closeFor.called).to.equal(false)
      clock.tick(1)
      expect(socket.closeFor.callCount).to.equal(1)
    })

  it('closes a few in each turn of the event loop', () => {
    const sockets = Array.from({ length: 100 }, () => followed(1000))
    const closed = () => sockets.filter(({ closeFor }) => closeFor.called).length
    clock.tick(1000 + GRACE - 1)
    clock.next()
    expect(closed()).to.equal(32)
    clock.next()
    expect(closed()).to.equal(64)
    clock.tick(5)
    expect(closed()).to.equal(100)
  })

  it('does not close a socket that got a new token while it waited for its turn', () => {
    const sockets = Array.from({ length: 100 }, () => followed(1000))
    clock.tick(1000 + GRACE - 1)
    clock.next()
    sockets.at(-1)?.change(1000)
    clock.tick(5)
    expect(sockets.filter(({ closeFor }) => !closeFor.called)).to.deep.equal([sockets.at(-1)])
  })

  it('waits for longer than a timer can', () => {
    const days = 60 * 24 * 3_600_000
    const socket = followed(days)
    clock.tick(days + GRACE - 1)
    expect(socket.closeFor.called).to.equal(false)
    clock.tick(1)
    expect(socket.closeFor.callCount).to.equal(1)
  })
})
