import { expect } from 'chai'
import { RunningTasks } from '#server/runtime/running-tasks.js'

describe('RunningTasks', () => {
  let tasks: RunningTasks<{ readonly id: number }>

  beforeEach(() => {
    let id = 0
    tasks = new RunningTasks(() => {
      id += 1
      return { id }
    })
  })

  const started = () => {
    let resolve!: (value: string) => void
    let reject!: (cause: Error) => void
    const promise = new Promise<string>((...settle) => {
      ;[resolve, reject] = settle
    })
    return { done: tasks.run(() => promise), resolve, reject }
  }

  it('holds the state of each task from its first step until it has settled', async () => {
    const [first, second] = [started(), started()]
    expect([tasks.size, tasks.states]).to.deep.equal([2, [{ id: 1 }, { id: 2 }]])
    first.resolve('done')
    expect(await first.done).to.equal('done')
    expect(tasks.states).to.deep.equal([{ id: 2 }])
    second.reject(new Error('failed'))
    expect(await second.done.catch(String)).to.equal('Error: failed')
    expect(tasks.size).to.equal(0)
  })

  it('forgets a task that throws at once', async () => {
    const fail = (): Promise<void> => {
      throw new Error('at once')
    }
    expect(await tasks.run(fail).catch(String)).to.equal('Error: at once')
    expect(tasks.size).to.equal(0)
  })

  it('gives a task the state that others reach', async () => {
    await tasks.run(async (state) => expect(tasks.states[0]).to.equal(state))
  })

  it('forgets a task that leaves, though it has not settled', async () => {
    let leave = () => {}
    const done = tasks.run((_state, leaving) => {
      leave = leaving
      return new Promise<string>((resolve) => setImmediate(resolve, 'done'))
    })
    leave()
    leave()
    expect(tasks.size).to.equal(0)
    expect(await done).to.equal('done')
  })
})
