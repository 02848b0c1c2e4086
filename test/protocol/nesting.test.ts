import {
  decodeClientMessage,
  type FrameError,
  isNestedTooDeeply,
  NESTING_LIMIT,
} from '@token-socket/protocol'
import { expect } from 'chai'

const MANY = 60_000

/** A valid list of this depth, with so many empty lists beside it that the text is looked at. */
function listOf(depth: number): string {
  return `[${'[],'.repeat(MANY)}${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}]`
}

describe('isNestedTooDeeply', () => {
  const deep: readonly (readonly [what: string, text: string])[] = [
    ['1 MiB of [', '['.repeat(1024 * 1024)],
    ['objects', '{"a":'.repeat(MANY)],
    ['lists in objects', '{"a":['.repeat(MANY)],
    ['a list one level too deep', listOf(NESTING_LIMIT + 1)],
    ['brackets after a string that ends in a backslash', `["\\\\",${'['.repeat(MANY)}`],
  ]
  for (const [what, text] of deep) {
    it(`is true of ${what}`, () => {
      expect(isNestedTooDeeply(text)).to.equal(true)
    })
  }

  const flat: readonly (readonly [what: string, text: string])[] = [
    ['a list as deep as may be', listOf(NESTING_LIMIT)],
    ['many lists beside each other', `[${'[1],'.repeat(MANY)}1]`],
    ['brackets in a string', JSON.stringify('['.repeat(1024 * 1024))],
    ['brackets in a string with quotes', JSON.stringify('"['.repeat(MANY))],
    ['brackets in a string with backslashes', JSON.stringify('\\['.repeat(MANY))],
    ['few brackets, however deep', '['.repeat(1001)],
  ]
  for (const [what, text] of flat) {
    it(`is false of ${what}`, () => {
      expect(isNestedTooDeeply(text)).to.equal(false)
    })
  }

  it('refuses such a message as bad_message, and names the limit', () => {
    try {
      decodeClientMessage('['.repeat(1024 * 1024))
      expect.fail('it was decoded')
    } catch (caught) {
      const { error } = caught as FrameError
      expect(error).to.include({ code: 'bad_message' })
      expect(error.message).to.contain('nested at most 1000 levels deep')
    }
  })
})
