import { expect } from 'chai'
import sinon from 'sinon'
import { inShares } from '#server/runtime/shares.js'

describe('inShares', () => {
  it('runs few at once, in order', async () => {
    const seen: number[] = []
    const done = inShares([1, 2, 3], (item) => seen.push(item))
    expect(seen).to.deep.equal([1, 2, 3])
    await done
  })

  it('lets others run when it has worked for some milliseconds', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['performance'] })
    try {
      const items = Array.from({ length: 100 }, (_, index) => index)
      const seen: number[] = []
      const turns: number[] = []
      let isDone = false
      const look = () => {
        turns.push(seen.length)
        if (!isDone) setImmediate(look)
      }
      setImmediate(look)
      await inShares(items, (item) => {
        clock.tick(1)
        seen.push(item)
      })
      isDone = true
      expect(seen).to.deep.equal(items)
      expect(turns.length).to.be.at.least(5)
      for (const [index, count] of turns.entries()) expect(count - (turns[index - 1] ?? 0)).to.be.at.most(16)
    } finally {
      clock.restore()
    }
  })

  it('rejects with what a run throws, and leaves the rest', async () => {
    const seen: number[] = []
    const error = await inShares([1, 2, 3], (item) => {
      seen.push(item)
      if (item === 2) throw new Error('of the test')
    }).catch((cause: Error) => cause.message)
    expect([error, seen]).to.deep.equal(['of the test', [1, 2]])
  })
})
