import type { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { Broadcasts, WAITING_BROADCASTS } from '#server/channels/broadcasts.js'
import { thrownBy } from '../protocol/rejection.js'

describe('Broadcasts', () => {
  let turns: (() => void)[]
  let delivered: string[]
  let size: number

  beforeEach(() => {
    turns = []
    delivered = []
    size = 1
  })

  function broadcasts(channels: number): Broadcasts {
    const names = Array.from({ length: channels }, (_, index) => `c${index}`)
    const deliver = ({ channel, json }: { readonly channel: string; readonly json: string }) => {
      delivered.push(`${channel} ${json.slice(0, 1)}`)
      return size
    }
    return new Broadcasts({ channels: names, deliver }, (run) => turns.push(run))
  }

  /** Runs one turn after the other. @returns how many there were */
  function runAll(): number {
    let count = 0
    for (let run = turns.shift(); run; run = turns.shift()) {
      run()
      count += 1
    }
    return count
  }

  it('delivers to every channel at once where there are few', () => {
    broadcasts(3).add('1')
    expect(delivered).to.deep.equal(['c0 1', 'c1 1', 'c2 1'])
  })

  it('delivers at most 1,000 times in a turn', () => {
    broadcasts(2500).add('1')
    expect(delivered).to.have.length(1000)
    turns.shift()?.()
    expect(delivered).to.have.length(2000)
    runAll()
    expect(delivered).to.have.length(2500)
    expect(new Set(delivered).size).to.equal(2500)
  })

  it('counts each socket of a channel, and delivers to all of one channel in one turn', () => {
    size = 400
    broadcasts(10).add('1')
    expect(delivered).to.have.length(3)
    expect(runAll()).to.be.above(2)
    expect(delivered).to.have.length(10)
  })

  it('counts what is delivered, in code units', () => {
    broadcasts(10).add('1'.repeat(600_000))
    expect(delivered).to.have.length(2)
    runAll()
    expect(delivered).to.have.length(10)
  })

  it('goes on with empty channels, which count as one delivery', () => {
    size = 0
    broadcasts(1500).add('1')
    expect(delivered).to.have.length(1000)
  })

  it('delivers one after the other, in order', () => {
    const all = broadcasts(1500)
    all.add('1')
    all.add('2')
    runAll()
    expect(delivered.map((one) => one.split(' ')[1]).join('')).to.equal('1'.repeat(1500) + '2'.repeat(1500))
    expect(turns).to.deep.equal([])
    delivered = []
    all.add('3')
    expect(delivered).to.have.length(1000)
  })

  it('has no room for a client’s while 100 wait', () => {
    const all = broadcasts(1500)
    for (let count = 0; count < WAITING_BROADCASTS; count += 1) all.add('1')
    all.checkRoom()
    all.add('1')
    const error = thrownBy(() => all.checkRoom()) as RpcError
    expect(error).to.include({ code: 'too_many_messages' })
    expect(error.data).to.deep.equal({ field: 'broadcasts', limit: WAITING_BROADCASTS })
    runAll()
    all.checkRoom()
  })
})
