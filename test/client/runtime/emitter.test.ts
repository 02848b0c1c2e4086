import { expect } from 'chai'
import sinon from 'sinon'
import { Emitter } from '#client/runtime/emitter.js'
import { turn } from '../waiting.js'

interface Events {
  news: (text: string) => void
}

describe('Emitter', () => {
  let emitter: Emitter<Events>
  let heard: string[]
  let uncaught: unknown[]
  const listenersBefore = process.listeners('uncaughtException')

  beforeEach(() => {
    emitter = new Emitter()
    heard = []
    uncaught = []
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => uncaught.push(error))
  })

  afterEach(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of listenersBefore) process.on('uncaughtException', listener)
  })

  const hears = (name: string) => (text: string) => void heard.push(`${name} ${text}`)

  it('#emit calls every listener in order, and says whether there was one', () => {
    expect(emitter.emit('news', '1')).to.equal(false)
    emitter.on('news', hears('a'))
    expect(emitter.emit('news', '2')).to.equal(true)
    emitter.on('news', hears('b'))
    emitter.emit('news', '3')
    expect(heard).to.deep.equal(['a 2', 'a 3', 'b 3'])
  })

  for (const count of [1, 2, 3]) {
    it(`what a listener throws reaches neither the caller nor the others of ${count}`, async () => {
      const failure = new Error('of the application')
      emitter.on('news', () => {
        throw failure
      })
      for (let one = 1; one < count; one += 1) emitter.on('news', hears('other'))
      emitter.emit('news', '1')
      expect(heard).to.have.length(count - 1)
      await turn()
      expect(uncaught).to.deep.equal([failure])
    })
  }

  it('#once is called once, also when it emits again', () => {
    emitter.once('news', (text) => {
      heard.push(text)
      emitter.emit('news', 'again')
    })
    emitter.emit('news', '1')
    emitter.emit('news', '2')
    expect(heard).to.deep.equal(['1'])
    expect(emitter.emit('news', '3')).to.equal(false)
  })

  it('a listener may add and remove listeners: that takes effect with the next event', () => {
    const last = hears('last')
    emitter.on('news', () => {
      emitter.off('news', last)
      emitter.on('news', hears('added'))
    })
    emitter.on('news', last)
    emitter.emit('news', '1')
    expect(heard).to.deep.equal(['last 1'])
    emitter.emit('news', '2')
    expect(heard).to.deep.equal(['last 1', 'added 2'])
  })

  it('calls a listener on the emitter, or on its own object', () => {
    const contexts: unknown[] = []
    const own = {}
    function listener(this: unknown): void {
      contexts.push(this)
    }
    emitter.on('news', listener)
    emitter.on('news', listener, own)
    emitter.emit('news', '1')
    expect(contexts).to.deep.equal([emitter, own])
  })

  it('neither copies nor searches its listeners for an event', () => {
    for (let one = 0; one < 100; one += 1) emitter.on('news', hears('a'))
    const spies = [sinon.spy(emitter, 'listeners'), sinon.spy(emitter, 'removeListener')]
    emitter.emit('news', '1')
    expect(heard).to.have.length(100)
    for (const spy of spies) expect(spy.called).to.equal(false)
  })
})
