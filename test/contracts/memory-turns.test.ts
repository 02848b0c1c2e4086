import { expect } from 'chai'
import { Turns } from '#contract/mock/memory/turns.js'
import { turn, until } from '../client/waiting.js'

describe('turns of a connection in memory', () => {
  it('run tasks later, in order, those that tasks add at the end', async () => {
    const turns = new Turns()
    const seen: string[] = []
    turns.add(() => {
      seen.push('a')
      turns.add(() => seen.push('c'))
    })
    turns.add(() => seen.push('b'))
    expect(seen).to.deep.equal([])
    await turn()
    expect(seen).to.deep.equal(['a', 'b', 'c'])
  })

  it('leave the event loop to others, however long two ends answer each other', async () => {
    const turns = new Turns()
    let count = 0
    let isOver = false
    const again = () => {
      count += 1
      if (!isOver) turns.add(again)
    }
    turns.add(again)
    await turn()
    await until(() => count > 150)
    isOver = true
  })

  it('go on after a task that throws', async () => {
    const turns = new Turns()
    const thrown: unknown[] = []
    const hear = (error: unknown) => thrown.push(error)
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', hear)
    const seen: number[] = []
    turns.add(() => {
      throw new Error('a bug')
    })
    turns.add(() => seen.push(1))
    await until(() => seen.length === 1 && thrown.length === 1)
    for (const listener of others) process.on('uncaughtException', listener)
  })
})
