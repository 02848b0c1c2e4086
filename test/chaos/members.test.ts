import { expect } from 'chai'
import { changesWhileMoving, measureGhosts, Pair } from './members.js'
import { reconnect } from './reconnect.js'

describe('members, when their node is killed', function () {
  this.timeout(600_000)
  let pair: Pair

  afterEach(() => pair.stop())

  it('are gone when its lease is over', async () => {
    const lease = 4000
    pair = await Pair.start(lease)
    const times: number[] = []
    await measureGhosts(pair, 2, (ms) => times.push(ms))
    expect(times).to.have.length(2)
    // They stay for the grace of others at least; that they go at all is what counts here.
    for (const ms of times) expect(ms).to.be.above(lease / 2)
  })

  it('are not seen leaving when they come back by another node', async () => {
    pair = await Pair.start(6000)
    expect(await changesWhileMoving(pair, 20, 9000)).to.deep.equal([])
  })
})

describe('clients whose node is killed', function () {
  this.timeout(600_000)

  it('come back at a cost in Redis commands that depends on their own channels only', async () => {
    // A slow machine looks at idle channels more often meanwhile.
    const checkInterval = 600_000
    const small = await reconnect({ count: 20, checkInterval })
    const large = await reconnect({ count: 150, checkInterval })
    const onMore = await reconnect({ count: 20, channels: 4, checkInterval })
    // Some clients may need a second try. What goes on anyway, such as leases, is shared by more.
    expect(large.commands).to.be.at.most(1.25 * small.commands)
    expect(onMore.commands).to.be.at.most(4 * small.commands)
    // Those that scripts make are counted: a token, a subscription, a place in history.
    expect(large.commands).to.be.below(35)
  })
})
