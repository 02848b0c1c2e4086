import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { undocumentedExports, undocumentedOptions } from './doc-comments.js'
import { brokenLinks, documents, headingsIn, linksIn } from './links.js'
import { parseSource, readSources, root } from './source-file.js'

const parse = (files: Record<string, string>) => Object.entries(files).map((entry) => parseSource(...entry))

describe('doc comments', () => {
  const files = readSources()
  const names = new Set(files.map(({ name }) => name))
  const entries = readdirSync(`${root}/packages`).flatMap((name) => [`${name}/index`, `${name}/testing`])

  for (const entry of entries.filter((name) => names.has(name))) {
    it(`are on every export of ${entry}`, () => {
      expect(undocumentedExports(entry, files)).to.deep.equal([])
    })
  }

  for (const file of files.filter(({ name }) => name.endsWith('/options'))) {
    it(`are on every option of ${file.name}, with @default on those that may be left out`, () => {
      expect(undocumentedOptions(file)).to.deep.equal([])
    })
  }
})

describe('undocumentedExports', () => {
  const gaps = (text: string, other = '') =>
    undocumentedExports('server/index', parse({ 'server/index': text, 'server/hub': other }))

  it('finds each kind of declaration', () => {
    const declarations = ['const a = 1', 'function a() {}', 'class a {}', 'interface a {}', 'type a = 1']
    for (const declaration of declarations) {
      expect(gaps(`export ${declaration}`), declaration).to.have.length(1)
      expect(gaps(`/** What it is. */\nexport ${declaration}`), declaration).to.deep.equal([])
    }
  })

  it('follows exports from other files', () => {
    const forms = ["export { Hub } from './hub.js'", "export * from './hub.js'"]
    forms.push(
      "export type { Hub as Middle } from './hub.js'",
      "import { Hub } from './hub.js'\nexport { Hub }",
    )
    for (const form of forms) {
      expect(gaps(form, 'export class Hub {}'), form).to.have.length(1)
      expect(gaps(form, '/** The middle. */ export class Hub {}'), form).to.deep.equal([])
    }
  })

  it('follows a name that changes on the way', () => {
    const files = parse({
      'server/index': "export { Outer } from './middle.js'",
      'server/middle': "import { Inner as Passed } from './hub.js'\nexport { Passed as Outer }",
      'server/hub': 'export class Inner {}',
    })
    expect(undocumentedExports('server/index', files)).to.deep.equal([
      'server/hub:1 Outer has no doc comment',
    ])
  })

  it('asks for no comment on what is not exported', () => {
    expect(
      gaps("export { Hub } from './hub.js'", 'class Inner {}\n/** x */ export class Hub {}'),
    ).to.deep.equal([])
  })
})

describe('undocumentedOptions', () => {
  const gaps = (member: string) =>
    undocumentedOptions(parseSource('server/options', `interface ServerOptions { ${member} }`))

  it('wants @default on what may be left out', () => {
    expect(gaps('/** How long. */ time?: number')).to.have.length(1)
    expect(gaps('/** How long. @default 5 */ time?: number')).to.deep.equal([])
  })

  it('leaves alone what no user fills in', () => {
    expect(
      undocumentedOptions(parseSource('server/options', 'interface Settings { time: number }')),
    ).to.deep.equal([])
  })

  it('wants a comment on what is required', () => {
    expect(gaps('time: number')).to.have.length(1)
    expect(gaps('/** How long. */ time: number')).to.deep.equal([])
  })
})

describe('the documents', () => {
  for (const path of documents()) {
    it(`${path} has no broken relative link`, () => {
      expect(brokenLinks(path, readFileSync(`${root}/${path}`, 'utf8'))).to.deep.equal([])
    })
  }
})

describe('docs/CLUSTER.md', () => {
  it('shows the configuration of nginx that the tests and the example use', () => {
    const configuration = readFileSync(`${root}/examples/cluster/nginx.conf`, 'utf8')
    expect(readFileSync(`${root}/docs/CLUSTER.md`, 'utf8')).to.include(`\`\`\`nginx\n${configuration}\`\`\``)
  })
})

describe('brokenLinks', () => {
  it('finds a missing file, a missing heading, and a way out of the repository', () => {
    expect(brokenLinks('README.md', '# A\n[x](nowhere.md) [y](#b) [z](../outside)')).to.have.length(3)
  })

  it('accepts files, headings and addresses', () => {
    expect(existsSync(`${root}/LICENSE`)).to.equal(true)
    expect(
      brokenLinks('README.md', '# The `a.b` Thing\n[x](LICENSE) [y](#the-ab-thing) [z](https://a.example)'),
    ).to.deep.equal([])
  })

  it('reads no links from code', () => {
    expect(linksIn('```md\n[x](y)\n```\n`[x](y)` [a](b "c")\n\n[d]: e')).to.deep.equal(['b', 'e'])
    expect(headingsIn('# A\n```sh\n# b\n```\n## A')).to.deep.equal(['a', 'a-1'])
  })
})
