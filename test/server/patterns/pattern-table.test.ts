import { expect } from 'chai'
import { PatternError } from '#server/patterns/channel-pattern.js'
import { PatternTable } from '#server/patterns/pattern-table.js'

const tableOf = (...texts: string[]) => new PatternTable(texts.map((text) => [text, { text }]))
const found = (table: PatternTable<{ text: string }>, name: string) =>
  table.matching(name).map(({ text }) => text)

describe('PatternTable', () => {
  describe('#matching', () => {
    const table = tableOf('*', 'chat', '#regex:c.*', 'ch*', 'news', '__proto__')

    it('gives the exact one first, then each pattern that means the name', () => {
      expect(found(table, 'chat')).to.deep.equal(['chat', '*', '#regex:c.*', 'ch*'])
      expect(found(table, 'chats')).to.deep.equal(['*', '#regex:c.*', 'ch*'])
      expect(found(table, 'news')).to.deep.equal(['news', '*'])
    })

    it('gives nothing where nothing means the name', () => {
      expect(found(tableOf('chat', 'ch*'), 'news')).to.deep.equal([])
      expect(found(tableOf(), 'news')).to.deep.equal([])
    })

    it('takes names that every object has as names like others', () => {
      expect(found(table, '__proto__')).to.deep.equal(['__proto__', '*'])
      for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
        expect(found(tableOf('chat'), name)).to.deep.equal([])
      }
    })

    it('takes a pattern as a pattern even for the name that is spelled like it', () => {
      expect(found(tableOf('a*'), 'a*')).to.deep.equal(['a*'])
      expect(found(tableOf('#regex:a'), '#regex:a')).to.deep.equal([])
    })
  })

  describe('#names', () => {
    it('has the names, without the patterns', () => {
      expect(tableOf('b', 'a*', 'a', '#regex:x').names).to.deep.equal(['b', 'a'])
    })
  })

  it('refuses a bad pattern', () => {
    expect(() => tableOf('chat', '#regex:(')).to.throw(PatternError)
  })
})
