import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { documents } from './links.js'
import { longDocumentSentences, longSentences, sentencesOf } from './sentences.js'
import { readSources, root } from './source-file.js'

/** Long sentences of older comments, at most: lower a number when there are fewer. */
const OLDER: Readonly<Record<string, number>> = {
  server: 8,
  redis: 0,
  protocol: 3,
  lmdb: 0,
  client: 3,
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

/** Long sentences of documents by folder, at most: lower a number when there are fewer. */
const OLDER_DOCUMENTS: Readonly<Record<string, number>> = {
  '.': 3,
  docs: 2,
  'docs/decisions': 48,
  'docs/reference': 9,
}

describe('the sentences of documents', () => {
  const written = documents().filter((name) => !name.startsWith('docs/reference/api/'))
  const folders = [...new Set(written.map((name) => dirname(name)))].sort()

  for (const folder of folders)
    it(`in ${folder} have at most 25 words`, () => {
      const found = written
        .filter((name) => dirname(name) === folder)
        .flatMap((name) => longDocumentSentences({ name, text: readFileSync(join(root, name), 'utf8') }))
      expect(found.length, found.join('\n')).to.be.at.most(OLDER_DOCUMENTS[folder] ?? 0)
    })

  it('are those outside code, tables and headings', () => {
    const long = (text: string) => longDocumentSentences({ name: 'a', text })
    expect(long(words(26))).to.have.length(1)
    expect(long(`${words(13)}\n${words(13)}\n\n- ${words(13)}\n- ${words(13)}`)).to.have.length(1)
    expect(long(`# ${words(26)}\n| ${words(26)} |\n<!-- ${words(26)} -->`)).to.deep.equal([])
    expect(long(`\`\`\`js\n${words(26)}\n\n${words(26)}\n\`\`\``)).to.deep.equal([])
    expect(long(`${words(24)} [${words(1)}](a/b.md)`)).to.deep.equal([])
    expect(long(`# One\n\n\`\`\`\na\n\`\`\`\n${words(26)}`)[0]).to.match(/^a:6 has 26 words/)
  })
})
