import { expect } from 'chai'
import fc from 'fast-check'
import { createOrder } from '#contract/message-order.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const never = () => new Promise<never>(() => {})
const codeOf = (error: { readonly code?: string }) => error.code

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

  it('does not wait for the promises that steps return', async () => {
    const order = createOrder()
    void order(turn(), never)
    expect(await order(turn(), () => turn().then(() => 'second'))).to.equal('second')
    await turn()
    expect(order(3, (value) => value)).to.equal(3)
  })

  it('lets nothing go before what one that gave up waited for', async () => {
    const order = createOrder()
    const done: number[] = []
    let release = () => {}
    const first = new Promise<void>((resolve) => {
      release = resolve
    })
    void order(first, () => done.push(1))
    const giveUp = () => Promise.reject(new Error('of the bound'))
    const second = order(2, () => done.push(2), giveUp)
    const third = order(3, () => done.push(3))
    expect(await Promise.resolve(second).catch((error: Error) => error.message)).to.equal('of the bound')
    await turn()
    expect(done).to.deep.equal([])
    release()
    await third
    expect(done).to.deep.equal([1, 3])
  })

  it('bounds how many wait, and counts those that have gone on no longer', async () => {
    const order = createOrder(2)
    const waiting = [order(turn(), never), order(2, (value) => value)]
    expect(() => order(3, () => 'never'))
      .to.throw()
      .that.satisfies((error: never) => codeOf(error) === 'queue_full')
    expect(() => order(Promise.reject(new Error('of a check')), never)).to.throw()
    expect(await waiting[1]).to.equal(2)
    expect(await order(turn(), () => 'taken')).to.equal('taken')
  })

  it('keeps the order of calls, however long each takes, whether it fails, is given up, or is answered', async () => {
    const step = fc.record({
      turns: fc.nat(4),
      fails: fc.boolean(),
      pause: fc.nat(2),
      answered: fc.boolean(),
      givenUp: fc.option(fc.nat(3)),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (list) => {
        const order = createOrder()
        const done: number[] = []
        const all: Promise<unknown>[] = []
        const over: number[] = []
        const wait = async (turns: number) => {
          for (let left = turns; left > 0; left -= 1) await turn()
        }
        for (const [index, { turns, fails, pause, answered, givenUp }] of list.entries()) {
          const work = async () => {
            await wait(turns)
            if (fails) throw new Error('of a check')
          }
          const bound = <W>(waits: Promise<W>): Promise<W> =>
            givenUp === null
              ? waits
              : Promise.race([
                  waits,
                  wait(givenUp).then((): Promise<W> => Promise.reject(new Error('given up'))),
                ])
          const value = turns === 0 && !fails ? undefined : work()
          const sent = new Promise<void>((resolve) => {
            const go = () => {
              done.push(index)
              resolve()
              return answered ? undefined : never()
            }
            const result = order(value, go, bound)
            Promise.resolve(result).catch(() => {
              over.push(index)
              resolve()
            })
          })
          all.push(sent)
          await wait(pause)
        }
        // Every one is sent, or has failed: none waits for an answer of another.
        await Promise.all(all)
        expect(done).to.deep.equal([...list.keys()].filter((index) => !over.includes(index)))
        for (const index of over) expect(list[index]?.fails || list[index]?.givenUp !== null).to.equal(true)
      }),
      { numRuns: 100 },
    )
  })
})
