import { expect } from 'chai'
import { FairSlots } from '#server/runtime/fair-slots.js'

describe('FairSlots', () => {
  let begun: string[]
  let slots: FairSlots

  beforeEach(() => {
    begun = []
    slots = new FairSlots(2)
  })

  /** @returns what gives its slot back */
  const enter = (owner: string, name: string) => slots.enter(owner, () => void begun.push(name))

  it('begins tasks at once while there are slots', () => {
    enter('a', 'a1')
    enter('a', 'a2')
    enter('a', 'a3')
    expect(begun).to.deep.equal(['a1', 'a2'])
  })

  it('takes turns among the owners, and begins the tasks of one in order', () => {
    const names = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']
    const leave = new Map(names.map((name) => [name, enter(name.slice(0, 1), name)]))
    // In the order in which they began, which grows meanwhile.
    for (const name of begun) leave.get(name)?.()
    expect(begun).to.deep.equal(['a1', 'a2', 'a3', 'b1', 'c1', 'a4', 'b2'])
    expect(slots.size).to.equal(0)
  })

  it('delays another owner by one task, however many one has', () => {
    const leave = ['a0', 'a1'].map((name) => enter('a', name))
    for (let count = 2; count < 1000; count += 1) enter('a', `a${count}`)
    enter('b', 'b')
    for (const one of leave) one()
    expect(begun).to.deep.equal(['a0', 'a1', 'a2', 'b'])
  })

  it('withdraws a task that has not begun, and leaves nothing behind', () => {
    const first = enter('a', 'a1')
    enter('a', 'a2')
    const withdraw = enter('b', 'b1')
    withdraw()
    expect(slots.size).to.equal(0)
    first()
    enter('c', 'c1')
    expect(begun).to.deep.equal(['a1', 'a2', 'c1'])
  })

  it('gives a slot back once', () => {
    const leave = enter('a', 'a1')
    enter('a', 'a2')
    leave()
    leave()
    for (const name of ['b1', 'b2']) enter('b', name)
    expect(begun).to.deep.equal(['a1', 'a2', 'b1'])
  })

  it('takes it back from a task that leaves while it begins', () => {
    let leave = () => {}
    leave = slots.enter('a', () => void begun.push('a1'))
    leave()
    for (const name of ['a2', 'a3', 'a4']) enter('a', name)
    expect(begun).to.deep.equal(['a1', 'a2', 'a3'])
  })

  it('begins tasks that leave as they begin without a deeper stack, and keeps the slots', () => {
    const leave = ['a1', 'a2'].map((name) => enter('a', name))
    for (let count = 0; count < 50_000; count += 1)
      slots.enter(`owner ${count % 100}`, (done) => {
        done()
        done()
      })
    leave[0]?.()
    expect([slots.size, slots.free]).to.deep.equal([0, 1])
    leave[1]?.()
    expect(slots.free).to.equal(2)
  })

  it('takes the slot back from a task that leaves while it begins, by either way', () => {
    const leave = slots.enter('a', (done) => done())
    leave()
    for (const name of ['a2', 'a3', 'a4']) enter('a', name)
    expect(begun).to.deep.equal(['a2', 'a3'])
    expect(slots.free).to.equal(0)
  })
})
