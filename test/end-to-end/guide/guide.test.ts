/** The programs of docs/guide run as they stand there, and print what the pages say. */
import { expect } from 'chai'
import { inNodeOnly } from '../../only-in.js'
import { type Block, blocksOf, GuidePage, guidePages } from './guide-page.js'

const PAGES = await Promise.all(
  (await guidePages()).map(async (name) => [name, await GuidePage.read(name)] as const),
)

/** The programs of a page whose output the page shows. */
function shownPrograms(blocks: readonly Block[]): readonly string[] {
  return blocks.flatMap(({ title }) => (title.endsWith(' prints') ? [title.slice(0, -' prints'.length)] : []))
}

/** The server that a program needs: `typed-server.mjs` for `typed-client.mjs`, else `server.mjs`. */
function serverOf(program: string, files: readonly string[]): string | undefined {
  return [program.replace('client', 'server'), 'server.mjs'].find(
    (name) => name !== program && files.includes(name),
  )
}

describe('the guide', () => {
  for (const [name, blocks] of PAGES)
    for (const program of shownPrograms(blocks))
      it(`${name}: ${program} prints what the page says`, async () => {
        const page = await GuidePage.write(name)
        try {
          const server = serverOf(program, page.files)
          if (server) await page.serve(server)
          const { output, code } = await page.run(program).ended()
          expect(output).to.equal(page.prints(program))
          expect(code).to.equal(0)
        } finally {
          await page.remove()
        }
      })
})

inNodeOnly('it runs `node:test`').describe('the tests that the guide shows', () => {
  for (const [name, blocks] of PAGES)
    for (const { title } of blocks.filter((block) => block.title.endsWith('.test.mjs')))
      it(`${name}: ${title} passes`, async () => {
        const page = await GuidePage.write(name)
        try {
          const { output, code } = await page.run(title).ended()
          expect(output).to.match(/^# pass [1-9]|^\S pass [1-9]/m)
          expect(code, output).to.equal(0)
        } finally {
          await page.remove()
        }
      })
})

describe('blocksOf', () => {
  it('gives language, title and code of each block', () => {
    expect(blocksOf('a\n```js b.mjs\nc\n```\n\n```\nd\n```\n')).to.deep.equal([
      { language: 'js', title: 'b.mjs', code: 'c\n' },
      { language: '', title: '', code: 'd\n' },
    ])
  })
})
