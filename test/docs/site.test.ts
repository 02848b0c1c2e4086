/** The guide as a site: it builds, and each link of it leads somewhere. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect } from 'chai'
import { sidebar } from '../../docs/.vitepress/sidebar.mjs'
import { root } from '../repository/source-file.js'

const docs = join(root, 'docs')

interface Entry {
  readonly link?: string
  readonly items?: readonly Entry[]
}

function linksOf({ link, items = [] }: Entry): string[] {
  return [...(link ? [link] : []), ...items.flatMap(linksOf)]
}

/** The pages, as paths from the folder of the documents and without `.md`. */
function pages(): string[] {
  const names = readdirSync(docs, { recursive: true, encoding: 'utf8' })
  const own = names.filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
  return own.map((name) => name.slice(0, -'.md'.length))
}

describe('the sidebar', () => {
  it('has each page once, and no other', () => {
    const listed = sidebar.flatMap(linksOf).map((link: string) => link.slice(1))
    const apart = ['index', 'reference/api/README']
    const inPackages = pages().filter((page) => !apart.includes(page))
    expect(listed).to.have.members(inPackages)
  })
})

describe('the site', function () {
  this.timeout(120_000)
  let folder: string
  const html = new Map<string, string>()

  before(() => {
    folder = mkdtempSync(join(root, '.cache', 'site-'))
    const vitepress = join(docs, 'node_modules/vitepress/bin/vitepress.js')
    const args = [vitepress, 'build', '--outDir', folder]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: docs, encoding: 'utf8' })
    if (status !== 0) throw new Error(stdout + stderr)
    for (const page of pages()) html.set(page, readFileSync(join(folder, `${page}.html`), 'utf8'))
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  const idsOf = (page: string) =>
    [...(html.get(page) ?? '').matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id)

  it('has the anchors that its links name', () => {
    const broken: string[] = []
    for (const [page, text] of html) {
      const [, main = ''] = /<main[^>]*>([\s\S]*)<\/main>/.exec(text) ?? []
      for (const [, href = ''] of main.matchAll(/ href="([^"]*#[^"]*)"/g)) {
        if (/^[a-z]+:/.test(href)) continue
        const [path = '', anchor = ''] = decodeURI(href).split('#')
        const target = path === '' ? page : relative('/', join('/', dirname(page), path)) || 'index'
        if (anchor !== '' && !idsOf(target).includes(anchor)) broken.push(`${page}: ${href}`)
      }
    }
    expect(broken).to.deep.equal([])
  })

  it('links what is not a page of it to the repository', () => {
    const outside = [...html].flatMap(([page, text]) =>
      [...text.matchAll(/ href="((?:\.\.\/)+[^"]*)"/g)].map(([, href]) => `${page}: ${href}`),
    )
    expect(outside.filter((link) => /\.\.\/(examples|packages|bench|test)\//.test(link))).to.deep.equal([])
    expect(html.get('guide/benchmarks')).to.include(
      'href="https://github.com/token-socket/token-socket/tree/main/bench/README.md"',
    )
  })

  it('has an index for its search', () => {
    const assets = readdirSync(join(folder, 'assets/chunks'))
    expect(assets.filter((name) => name.includes('localSearchIndex'))).to.have.length(1)
  })
})
