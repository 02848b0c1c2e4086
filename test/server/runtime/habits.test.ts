import { expect } from 'chai'
import { explainHabits, SERVER_HABITS, SOCKET_HABITS } from '#server/runtime/habits.js'

describe('explainHabits', () => {
  it('gives a class methods that say what to call instead, and keeps its own', () => {
    class Own {
      on() {
        return 'own'
      }
    }
    explainHabits(Own, { on: 'never', join: 'socket.subscribe(channel)' })
    const own = new Own()
    expect(own.on()).to.equal('own')
    expect(() => Reflect.get(own, 'join')('room')).to.throw(
      TypeError,
      'no join() here: socket.subscribe(channel)',
    )
    expect(Object.keys(Own.prototype)).to.deep.equal([])
  })

  it('explains nothing that would make a server or a socket look like a promise or a stream', () => {
    for (const name of ['then', 'pipe', 'write']) {
      expect(SERVER_HABITS).to.not.have.property(name)
      expect(SOCKET_HABITS).to.not.have.property(name)
    }
  })
})
