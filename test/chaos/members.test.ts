import { expect } from 'chai'
import { changesWhileMoving, measureGhosts, Pair } from './members.js'
import { reconnect } from './reconnect.js'

describe('members, when their node is killed', function () {
  this.timeout(60_000)
  let pair: Pair

  afterEach(() => pair.stop())

  it('are gone when its lease is over', async () => {
    const lease = 1500
    pair = await Pair.start(lease)
    const times: number[] = []
    await measureGhosts(pair, 2, (ms) => times.push(ms))
    expect(times).to.have.length(2)
    // They stay for the grace of others at least; that they go at all is what counts here.
    for (const ms of times) expect(ms).to.be.above(lease / 2)
  })

  it('are not seen leaving when they come back by another node', async () => {
    pair = await Pair.start(3000)
    expect(await changesWhileMoving(pair, 20, 6000)).to.deep.equal([])
  })
})

describe('clients whose node is killed', function () {
  this.timeout(120_000)

  it('come back at a cost in Redis commands that depends on their own channels only', async () => {
    const small = await reconnect({ count: 20 })
    const large = await reconnect({ count: 150 })
    const onMore = await reconnect({ count: 20, channels: 4 })
    // What goes on anyway, such as leases, is shared by more.
    expect(large.commands).to.be.at.most(small.commands + 0.5)
    expect(onMore.commands).to.be.at.most(4 * small.commands)
    // Those that scripts make are counted: a token, a subscription, a place in history.
    expect(large.commands).to.be.below(30)
  })
})
