import { expect } from 'chai'
import { BulkQueue } from '#server/socket/bulk-queue.js'

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('BulkQueue', () => {
  let isCaughtUp: boolean
  let queue: BulkQueue
  let started: number[]

  beforeEach(() => {
    isCaughtUp = true
    queue = new BulkQueue({ isCaughtUp: () => isCaughtUp })
    started = []
  })

  /** A task that ends when it is told to. */
  function task(number: number): { readonly done: Promise<number>; end(): void } {
    let end = () => {}
    const told = new Promise<void>((resolve) => {
      end = resolve
    })
    const done = queue.run(async () => {
      started.push(number)
      await told
      return number
    })
    return { done, end }
  }

  it('runs a task at once while the reader keeps up, and gives what it gives', async () => {
    const one = task(1)
    expect(started).to.deep.equal([1])
    one.end()
    expect(await one.done).to.equal(1)
  })

  it('runs eight at once, the others in their order as these end', async () => {
    const tasks = Array.from({ length: 10 }, (_, index) => task(index))
    await settled()
    expect(started).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7])
    tasks[3]?.end()
    await settled()
    expect(started.slice(8)).to.deep.equal([8])
    tasks[8]?.end()
    await settled()
    expect(started.slice(8)).to.deep.equal([8, 9])
  })

  it('starts none while the reader is behind, and goes on when it has caught up', async () => {
    isCaughtUp = false
    const tasks = [task(1), task(2)]
    queue.resume()
    await settled()
    expect(started).to.deep.equal([])
    isCaughtUp = true
    queue.resume()
    await settled()
    expect(started).to.deep.equal([1, 2])
    for (const one of tasks) one.end()
  })

  it('lets none overtake what waits', async () => {
    isCaughtUp = false
    task(1)
    isCaughtUp = true
    task(2)
    expect(started).to.deep.equal([])
    queue.resume()
    await settled()
    expect(started).to.deep.equal([1, 2])
  })

  it('goes on after a task that fails', async () => {
    const failing = Array.from({ length: 8 }, () => queue.run(() => Promise.reject(new Error('no'))))
    const next = task(9)
    const outcomes = await Promise.allSettled(failing)
    expect(outcomes.every(({ status }) => status === 'rejected')).to.equal(true)
    await settled()
    expect(started).to.deep.equal([9])
    next.end()
  })

  it('leaves nothing waiting when the socket is gone', async () => {
    isCaughtUp = false
    const tasks = Array.from({ length: 20 }, (_, index) => task(index))
    queue.end()
    await settled()
    expect(started).to.have.length(20)
    for (const one of tasks) one.end()
    await Promise.all(tasks.map(({ done }) => done))
  })
})
