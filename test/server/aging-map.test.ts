import { expect } from 'chai'
import { AgingMap } from '#server/engine/aging-map.js'

describe('AgingMap', () => {
  let map: AgingMap<number>

  beforeEach(() => {
    map = new AgingMap()
    for (const [at, key] of ['a', 'b', 'c', '__proto__'].entries()) map.set(key, at)
  })

  const looked = (times: number) => {
    const keys: string[] = []
    map.lookAt(times, (key) => keys.push(key))
    return keys.join('')
  }

  it('takes out the entry that was set least recently', () => {
    map.set('a', 5)
    map.delete('c')
    expect(map.takeOldest()).to.deep.equal(['b', 1])
    map.set('d', 6)
    expect([map.get('a'), map.get('b'), map.size]).to.deep.equal([5, undefined, 3])
    const rest = [map.takeOldest(), map.takeOldest(), map.takeOldest(), map.takeOldest()]
    expect(rest).to.deep.equal([['__proto__', 3], ['a', 5], ['d', 6], undefined])
    map.set('e', 7)
    expect(map.takeOldest()).to.deep.equal(['e', 7])
  })

  it('looks at each entry once in so many times, at as many each time', () => {
    expect([looked(2), looked(2), looked(2)]).to.deep.equal(['ab', 'c__proto__', 'ab'])
  })

  it('goes on as fast while those that it looks at are deleted', () => {
    const gone: string[] = []
    for (let time = 0; time < 2; time += 1)
      map.lookAt(2, (key) => {
        gone.push(key)
        map.delete(key)
      })
    expect(gone).to.deep.equal(['a', 'b', 'c', '__proto__'])
    expect([map.size, looked(2)]).to.deep.equal([0, ''])
  })

  it('gets to all, though one is set again and again', () => {
    const seen = new Set<string>()
    for (let time = 0; time < 12; time += 1) {
      map.set('b', time)
      map.lookAt(4, (key) => seen.add(key))
    }
    expect(seen.size).to.equal(4)
  })

  it('takes the oldest in the same time, however many went before', () => {
    for (let at = 0; at < 200_000; at += 1) map.set(`k${at}`, at)
    for (let at = 0; at < 200_000; at += 1) {
      map.takeOldest()
      map.set(`l${at}`, at)
    }
    expect(map.size).to.equal(200_004)
  })
})
