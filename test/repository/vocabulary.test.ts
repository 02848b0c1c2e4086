/** Words that plain English, as the sources and the documents use it, does without. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { documents } from './links.js'

const root = new URL('../..', import.meta.url).pathname

const UNWANTED =
  /\b(nobody|whoever|somebody|no more|so many|at the most|tells of|hears of|signs? of life|besides|hearers?|may be told|no promise tells|goes? about)\b/i

async function filesIn(folder: string, name: RegExp): Promise<string[]> {
  const found = await readdir(join(root, folder), { recursive: true })
  return found.filter((file) => name.test(file)).map((file) => join(folder, file))
}

describe('the words', () => {
  it('of sources and documents are plain', async () => {
    const packages = await readdir(join(root, 'packages'))
    const folders = await Promise.all(packages.map((name) => filesIn(`packages/${name}/src`, /\.ts$/)))
    const files = [...folders.flat(), ...documents()]
    const found: string[] = []
    for (const file of files) {
      const lines = (await readFile(join(root, file), 'utf8').catch(() => '')).split('\n')
      for (const [index, line] of lines.entries()) {
        const [word] = UNWANTED.exec(line) ?? []
        if (word) found.push(`${file}:${index + 1} has "${word}"`)
      }
    }
    expect(files).to.have.length.above(200)
    expect(found).to.deep.equal([])
  })

  it('are found in any case and number', () => {
    for (const text of [
      'Nobody waits.',
      'a sign of life',
      'Signs of life',
      'it is kept no more',
      'At the most 5',
      'What {@link X} may be told',
      'it hears what no promise tells',
      'How it goes about it',
      'type Hearer = () => void',
      'and others besides',
    ])
      expect(UNWANTED.test(text), text).to.equal(true)
  })
})
