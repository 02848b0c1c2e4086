import { expect } from 'chai'
import fc from 'fast-check'
import { createOrder } from '../../packages/contract/src/message-order.js'

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

  it('does not wait for what a step promises', async () => {
    const order = createOrder()
    const answer = order(Promise.resolve(1), () => new Promise(() => {}))
    expect(await order(2, (value) => value)).to.equal(2)
    expect(answer).to.be.a('promise')
  })

  it('skips a step whose waiting is given up, and keeps the order of the others', async () => {
    const order = createOrder()
    const done: number[] = []
    let finish = () => {}
    const slow = new Promise<void>((resolve) => {
      finish = resolve
    })
    const first = order(slow, () => done.push(1))
    const given = order(
      undefined,
      () => done.push(2),
      () => Promise.reject(new Error('given up')),
    )
    const last = order(undefined, () => done.push(3))
    expect(await Promise.resolve(given).catch((error: Error) => error.message)).to.equal('given up')
    await turn()
    expect(done).to.deep.equal([])
    finish()
    await Promise.all([first, last])
    expect(done).to.deep.equal([1, 3])
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
