import { expect } from 'chai'
import { Listeners } from '#contract/client/listeners.js'

describe('Listeners', () => {
  it('calls those that are there, in order, and none that another takes away meanwhile', () => {
    const listeners = new Listeners<number>()
    const heard: string[] = []
    let removeLast = () => {}
    listeners.add((value) => heard.push(`first ${value}`))
    listeners.add(() => {
      removeLast()
      listeners.add(() => heard.push('added'))
    })
    removeLast = listeners.add(() => heard.push('last'))
    listeners.emit(1)
    expect(heard).to.deep.equal(['first 1'])
    listeners.emit(2)
    expect(heard).to.deep.equal(['first 1', 'first 2', 'added'])
  })

  it('takes the same one twice as two', () => {
    const listeners = new Listeners<number>()
    let calls = 0
    const listener = () => {
      calls += 1
    }
    const remove = listeners.add(listener)
    listeners.add(listener)
    remove()
    remove()
    listeners.emit(1)
    expect(calls).to.equal(1)
  })
})
