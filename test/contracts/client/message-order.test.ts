import { expect } from 'chai'
import fc from 'fast-check'
import { createOrder } from '../../../packages/contract/src/client/message-order.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('createOrder', () => {
  it('goes on at once where nothing waits', () => {
    expect(createOrder()(1, (value) => value + 1)).to.equal(2)
  })

  it('throws at once what a step throws', () => {
    const fail = () => {
      throw new Error('of a step')
    }
    expect(() => createOrder()(1, fail)).to.throw('of a step')
  })

  it('goes on after what fails', async () => {
    const order = createOrder()
    const failed = order(Promise.reject(new Error('of a check')), () => 'never')
    const later = order(2, (value) => value)
    expect(await Promise.resolve(failed).catch((error: Error) => error.message)).to.equal('of a check')
    expect(await later).to.equal(2)
    await turn()
    expect(order(3, (value) => value)).to.equal(3)
  })

  it('keeps the order of calls, however long each takes, and whether it fails', async () => {
    const steps = fc.array(fc.record({ turns: fc.nat(4), fails: fc.boolean(), pause: fc.nat(2) }), {
      maxLength: 12,
    })
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const order = createOrder()
        const done: number[] = []
        const all: unknown[] = []
        for (const [index, { turns, fails, pause }] of list.entries()) {
          const work = async () => {
            for (let left = turns; left > 0; left -= 1) await turn()
            if (fails) throw new Error('of a check')
          }
          const value = turns === 0 && !fails ? undefined : work()
          all.push(Promise.resolve(order(value, () => done.push(index))).catch(() => {}))
          for (let left = pause; left > 0; left -= 1) await turn()
        }
        await Promise.all(all)
        const expected = [...list.keys()].filter((index) => !list[index]?.fails)
        expect(done).to.deep.equal(expected)
      }),
      { numRuns: 100 },
    )
  })
})
