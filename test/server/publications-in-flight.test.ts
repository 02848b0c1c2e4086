import { expect } from 'chai'
import sinon from 'sinon'
import { PublicationsInFlight } from '#server/channels/publications-in-flight.js'
import { turn } from '../end-to-end/fixture.js'
import { makeSocket } from './sockets.js'

describe('PublicationsInFlight', () => {
  let flights: PublicationsInFlight
  const { socket } = makeSocket()
  const other = makeSocket().socket

  beforeEach(() => {
    flights = new PublicationsInFlight()
  })

  /** Whether a promise has been resolved by now. */
  const isDone = async (promise: Promise<unknown> | undefined) => {
    let done = promise === undefined
    void promise?.then(() => {
      done = true
    })
    await turn()
    return done
  }

  describe('#landed', () => {
    it('waits for what is in flight, and not for what comes later', async () => {
      const [first, second] = [flights.begin(socket), flights.begin(socket)]
      const landed = flights.landed(socket)
      const later = flights.begin(socket)
      flights.end(socket, first)
      expect(await isDone(landed)).to.equal(false)
      flights.end(socket, second)
      expect(await isDone(landed)).to.equal(true)
      const last = flights.landed(socket)
      expect(await isDone(last)).to.equal(false)
      flights.end(socket, later)
      expect(await isDone(last)).to.equal(true)
      expect(flights.landed(socket)).to.equal(undefined)
    })

    it('waits for what another caller waits for already', async () => {
      const first = flights.begin(socket)
      const landed = [flights.landed(socket), flights.landed(socket)]
      const second = flights.begin(socket)
      landed.push(flights.landed(socket))
      flights.end(socket, second)
      for (const one of landed) expect(await isDone(one)).to.equal(false)
      flights.end(socket, first)
      for (const one of landed) expect(await isDone(one)).to.equal(true)
      expect(flights.landed(socket)).to.equal(undefined)
    })
  })

  describe('#landedWhere', () => {
    it('waits for those that match, which may be closed, and for no others', async () => {
      const [own, others] = [flights.begin(socket), flights.begin(other)]
      socket.closeFor('revoked')
      const mine = flights.landedWhere((one) => one === socket, 1000)
      expect(await isDone(mine)).to.equal(false)
      flights.end(socket, own)
      expect(await isDone(mine)).to.equal(true)
      flights.end(other, others)
      expect(await isDone(flights.landedWhere(() => true, 1000))).to.equal(true)
    })

    it('waits for a given time at most', async () => {
      const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      try {
        flights.begin(socket)
        const landed = flights.landedWhere(() => true, 1000)
        clock.tick(999)
        expect(await isDone(landed)).to.equal(false)
        clock.tick(1)
        expect(await isDone(landed)).to.equal(true)
      } finally {
        clock.restore()
      }
    })
  })
})
