import {
  decodeClientMessage,
  type FrameError,
  isTooComplex,
  NESTING_LIMIT,
  PARTS_LIMIT,
} from '@token-socket/protocol'
import { expect } from 'chai'

const listOf = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
const listsOf = (count: number, one = '[]') => `[${Array(count).fill(one).join(',')}]`

describe('isTooComplex', () => {
  const complex: readonly (readonly [what: string, text: string])[] = [
    ['1 MiB of [', '['.repeat(1024 * 1024)],
    ['nested objects', '{"a":'.repeat(NESTING_LIMIT + 1)],
    ['lists in objects', '{"a":['.repeat(NESTING_LIMIT)],
    ['a list one level too deep', listOf(NESTING_LIMIT + 1)],
    ['brackets after a string that ends in a backslash', `["\\\\",${'['.repeat(NESTING_LIMIT + 1)}`],
    ['one list too many', listsOf(PARTS_LIMIT)],
    ['one object too many', listsOf(PARTS_LIMIT, '{}')],
    ['many lists as deep as may be', listsOf(1000, listOf(NESTING_LIMIT - 1))],
  ]
  for (const [what, text] of complex) {
    it(`is true of ${what}`, () => {
      expect(isTooComplex(text)).to.equal(true)
    })
  }

  const simple: readonly (readonly [what: string, text: string])[] = [
    ['a list as deep as may be', listOf(NESTING_LIMIT)],
    ['as many lists as may be', listsOf(PARTS_LIMIT - 1)],
    ['rows of a table', JSON.stringify(Array.from({ length: 30_000 }, (_, id) => ({ id, tags: ['a'] })))],
    ['brackets in a string', JSON.stringify('['.repeat(1024 * 1024))],
    ['brackets in a string with quotes', JSON.stringify('"['.repeat(1000))],
    ['brackets in a string with backslashes', JSON.stringify('\\['.repeat(1000))],
    ['what is no JSON', ']'.repeat(1000)],
  ]
  for (const [what, text] of simple) {
    it(`is false of ${what}`, () => {
      expect(isTooComplex(text)).to.equal(false)
    })
  }

  describe('of a message', () => {
    const data = (length: number) => '[]'.repeat(Math.ceil(length / 3)).replaceAll('][', '],[')
    const messages: readonly (readonly [what: string, text: string, answered: boolean])[] = [
      ['a short one', `{"rpc":"a.b","uuid":"7","req":${listOf(NESTING_LIMIT + 1)}}`, true],
      ['a long one as clients write it', `{"rpc":"a.b","req":[${data(400_000)}],"uuid":"7"}`, true],
      ['a long one in another order', `{"uuid":"7","rpc":"a.b","req":[${data(400_000)}]}`, false],
    ]
    for (const [what, text, answered] of messages) {
      it(`refuses ${what} as bad_message${answered ? ', for its name and id' : ''}`, () => {
        try {
          decodeClientMessage(text)
          expect.fail('it was decoded')
        } catch (caught) {
          const { error, rpc, id } = caught as FrameError
          expect(error).to.include({ code: 'bad_message' })
          expect(error.message).to.contain('at most 100 levels deep, with at most 100000 lists and objects')
          expect([rpc, id]).to.deep.equal(answered ? ['a.b', '7'] : [undefined, undefined])
        }
      })
    }
  })
})
