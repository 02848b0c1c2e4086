import { expect } from 'chai'
import { KeyedQueue } from '#server/socket/keyed-queue.js'

type Gate = { readonly task: () => Promise<string>; readonly open: (outcome: Promise<string>) => void }

describe('InOrder', () => {
  /** A task that ends when it is told to. */
  function gate(name: string, log: string[]) {
    let open!: (outcome: Promise<string>) => void
    const opened = new Promise<string>((resolve) => {
      open = resolve
    })
    const task = async () => {
      log.push(`${name} begins`)
      const result = await opened
      log.push(`${name} ends`)
      return result
    }
    return { task, open }
  }

  describe('#run', () => {
    it('runs a task at once and resolves as it does', async () => {
      let ran = false
      const result = new KeyedQueue().run('a', async () => {
        ran = true
        return 7
      })
      expect(ran).to.equal(true)
      expect(await result).to.equal(7)
    })

    it('runs the tasks of one key one after the other', async () => {
      const log: string[] = []
      const order = new KeyedQueue()
      const [first, second] = [gate('first', log), gate('second', log)]
      const results = [order.run('a', first.task), order.run('a', second.task)]
      second.open(Promise.resolve('2'))
      expect(log).to.deep.equal(['first begins'])
      first.open(Promise.resolve('1'))
      expect(await Promise.all(results)).to.deep.equal(['1', '2'])
      expect(log).to.deep.equal(['first begins', 'first ends', 'second begins', 'second ends'])
    })

    it('runs the tasks of different keys side by side', async () => {
      const log: string[] = []
      const order = new KeyedQueue()
      const [first, second] = [gate('first', log), gate('second', log)]
      const waits = order.run('__proto__', first.task)
      const done = order.run('b', second.task)
      second.open(Promise.resolve('2'))
      await done
      expect(log).to.deep.equal(['first begins', 'second begins', 'second ends'])
      first.open(Promise.resolve('1'))
      await waits
    })

    it('runs what is to run alone after all earlier tasks, and before all later ones', async () => {
      const log: string[] = []
      const order = new KeyedQueue()
      const gates = ['a', 'b', 'alone', 'again', 'c', 'a'].map((name) => gate(name, log))
      const [a, b, alone, again, c, later] = gates as [Gate, Gate, Gate, Gate, Gate, Gate]
      const results = [
        order.run('a', a.task),
        order.run('b', b.task),
        order.runAlone(alone.task),
        order.runAlone(again.task),
        order.run('c', c.task),
        order.run('a', later.task),
      ]
      for (const one of [b, c, later, again, alone]) one.open(Promise.resolve('done'))
      expect(log).to.deep.equal(['a begins', 'b begins'])
      a.open(Promise.reject(new Error('no')))
      const settled = await Promise.allSettled(results)
      expect(settled.map(({ status }) => status)).to.deep.equal(['rejected', ...Array(5).fill('fulfilled')])
      expect(log.filter((line) => line.endsWith('begins')).slice(2)).to.deep.equal([
        'alone begins',
        'again begins',
        'c begins',
        'a begins',
      ])
      expect(log.indexOf('again begins')).to.be.above(log.indexOf('alone ends'))
      expect(log.indexOf('c begins')).to.be.above(log.indexOf('again ends'))
      expect(order).to.include({ size: 0, weight: 0 })
    })

    it('runs a task at once after one that ran alone has ended', async () => {
      const log: string[] = []
      const order = new KeyedQueue()
      await order.runAlone(async () => {}, 5)
      const { task, open } = gate('next', log)
      const result = order.run('a', task)
      expect(log).to.deep.equal(['next begins'])
      open(Promise.resolve('done'))
      await result
      expect(order).to.include({ size: 0, weight: 0 })
    })

    it('goes on after a task that fails, and rejects for that one only', async () => {
      const order = new KeyedQueue()
      const cause = new Error('no')
      const failed = order.run('a', () => Promise.reject(cause))
      const next = order.run('a', async () => 'next')
      expect(await failed.catch((error) => error)).to.equal(cause)
      expect(await next).to.equal('next')
      expect(await order.run('a', async () => 'later')).to.equal('later')
    })

    it('begins at once again when all before it are done', async () => {
      const order = new KeyedQueue()
      await order.run('a', async () => {})
      await Promise.resolve()
      let ran = false
      order.run('a', async () => {
        ran = true
      })
      expect(ran).to.equal(true)
    })
  })

  describe('#size', () => {
    it('counts the tasks that run or wait', async () => {
      const inOrder = new KeyedQueue()
      const [first, second] = [gate('first', []), gate('second', [])]
      const results = [inOrder.run('a', first.task), inOrder.run('a', second.task)]
      expect(inOrder.size).to.equal(2)
      first.open(Promise.resolve('done'))
      await results[0]
      expect(inOrder.size).to.equal(1)
      second.open(Promise.resolve('done'))
      await results[1]
      expect(inOrder.size).to.equal(0)
    })
  })

  it('rejects for a task that throws at once, and goes on', async () => {
    const order = new KeyedQueue()
    const thrown = order.run('a', () => {
      throw new Error('at once')
    })
    expect(await thrown.catch((error) => error)).to.have.property('message', 'at once')
    expect(order.size).to.equal(0)
    expect(await order.run('a', async () => 'next')).to.equal('next')
  })

  describe('.weight', () => {
    it('is that of the tasks that run or wait, and each gives it back once', async () => {
      const order = new KeyedQueue()
      const [first, second] = [gate('first', []), gate('second', [])]
      const results = [
        order.run('a', first.task, 5),
        order.run('a', second.task, 7),
        order.run('b', async () => {}),
      ]
      expect(order.weight).to.equal(12)
      first.open(Promise.resolve('1'))
      await results[0]
      expect(order.weight).to.equal(7)
      second.open(Promise.reject(new Error('no')))
      await Promise.allSettled(results)
      expect([order.weight, order.size]).to.deep.equal([0, 0])
    })
  })
})
