import { expect } from 'chai'
import { SocketCounts } from '#server/authentication/socket-counts.js'

describe('SocketCounts', () => {
  it('counts each socket by the names of its user, and refuses one too many', () => {
    const counts = new SocketCounts(1)
    counts.enter({ uid: 'ann', session: 's' })
    for (const more of [{ uid: 'ann' }, { session: 's' }, { uid: 'ben', session: 's' }])
      expect(() => counts.enter(more))
        .to.throw()
        .that.includes({ code: 'too_many_sockets' })
    counts.enter({ uid: 'ben', session: 't' })
    expect(counts.size).to.equal(4)
  })

  it('counts no socket whose user has no name, however many there are', () => {
    const counts = new SocketCounts(1)
    for (let count = 0; count < 3; count += 1) counts.enter({})
    expect(counts.size).to.equal(0)
  })

  it('takes a socket away by the names that it had, once', () => {
    const counts = new SocketCounts(2)
    const socket = { uid: 'ann', session: 'before' }
    const other = { uid: 'ann' }
    counts.enter(socket)
    counts.enter(other)
    socket.session = 'after'
    counts.leave(socket)
    counts.leave(socket)
    expect(counts.size).to.equal(1)
    counts.leave(other)
    expect(counts.size).to.equal(0)
  })

  it('counts nothing of one that it refuses', () => {
    const counts = new SocketCounts(1)
    const ann = { uid: 'ann' }
    counts.enter(ann)
    const refused = { uid: 'ann', session: 's' }
    expect(() => counts.enter(refused)).to.throw()
    counts.leave(refused)
    expect(counts.size).to.equal(1)
  })
})
