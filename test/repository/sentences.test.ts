import { expect } from 'chai'
import { longSentences, sentencesOf } from './sentences.js'
import { readSources } from './source-file.js'

/** Long sentences of older comments, at most: lower a number when there are fewer. */
const OLDER: Readonly<Record<string, number>> = {
  server: 13,
  redis: 0,
  protocol: 3,
  lmdb: 0,
  client: 9,
  contract: 0,
  'sign-out': 0,
  'engine-tests': 0,
}

const sources = readSources()

const words = (count: number) => 'word '.repeat(count).trim()

describe('the sentences of comments', () => {
  for (const [name, allowed] of Object.entries(OLDER))
    it(`of ${name} have at most 25 words`, () => {
      const found = sources.flatMap((file) => (file.name.startsWith(`${name}/`) ? longSentences(file) : []))
      expect(found.length, found.at(-1)).to.be.at.most(allowed)
    })

  it('are counted over several lines', () => {
    const long = (comment: string) => longSentences({ name: 'a', text: comment }).length
    expect(long(`// ${words(25)}.`)).to.equal(0)
    expect(long(`// ${words(26)}.`)).to.equal(1)
    expect(long(`/**\n * ${words(13)}\n * ${words(13)}. ${words(26)}.\n */`)).to.equal(2)
    expect(long(`/** ${words(13)}. */\nconst a = 1 // ${words(13)}\n// ${words(13)}`)).to.equal(0)
  })

  it('are what stands between stops, tags and items of lists', () => {
    expect(sentencesOf('One. Two: three; four? @param five the `a. b` six')).to.deep.equal([
      'One',
      'Two',
      'three',
      'four',
      'five the code six',
    ])
    expect(sentencesOf('A list:\n- one\n- two\n\nMore {@link One.two} of 1.5')).to.deep.equal([
      'A list',
      'one',
      'two',
      'More link of 1.5',
    ])
    expect(sentencesOf('Adds.\n@example\nadd(1, 2) // three. four\n@returns five')).to.deep.equal([
      'Adds',
      'five',
    ])
  })
})
