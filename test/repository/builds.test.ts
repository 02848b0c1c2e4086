import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { expect } from 'chai'
import { build } from 'esbuild'
import { plainPrivates } from '../../scripts/slim-dependencies.mjs'
import { parseSource, root } from './source-file.js'

const dist = `${root}/packages/client/dist`
const read = (file: string) => readFileSync(`${dist}/${file}`, 'utf8')
const importsOf = (file: string) =>
  parseSource(`client/${file}`, read(file)).imports.map(({ specifier }) => specifier)

// Without the client's sources there is nothing to build, and so nothing to check.
if (existsSync(`${root}/packages/client/src/index.ts`)) {
  describe('the client’s browser module', () => {
    it('imports nothing that browsers lack', () => {
      const browserDoors = ['@token-socket/protocol', 'eventemitter3', 'sockjs-client']
      const others = importsOf('browser/index.js').filter(
        (specifier) => !browserDoors.some((name) => specifier === name || specifier.startsWith(`${name}/`)),
      )
      expect(others).to.deep.equal([])
    })
  })

  describe('the advice for developers', () => {
    const builds = {
      'browser-development/index.js': true,
      'token-socket.js': true,
      'esm/index.js': true,
      'cjs/index.js': true,
      'browser/index.js': false,
      'browser-cjs/index.js': false,
      'browser-legacy/index.js': false,
      'token-socket.min.js': false,
      'token-socket.full.min.js': false,
    }
    for (const [file, isThere] of Object.entries(builds)) {
      it(`is ${isThere ? '' : 'not '}in ${file}`, () => {
        expect(/Did you mean/.test(read(file))).to.equal(isThere)
      })
    }
  })

  for (const file of ['token-socket.js', 'token-socket.min.js']) {
    describe(`the client’s script ${file}`, () => {
      it('imports nothing', () => {
        expect(importsOf(file)).to.deep.equal([])
      })

      it('defines the class as a global, and nothing else', () => {
        const page = createContext({})
        runInContext(read(file), page)
        expect(Object.keys(page)).to.deep.equal(['TokenSocket'])
        expect(page.TokenSocket).to.be.a('function')
      })

      it('has a source map', () => {
        expect(read(file)).to.match(new RegExp(`//# sourceMappingURL=${file}\\.map\\s*$`))
        const { sources }: { sources: string[] } = JSON.parse(read(`${file}.map`))
        expect(sources.filter((path) => path.startsWith('../src/'))).to.not.be.empty
      })

      it('holds no SockJS', () => {
        expect(JSON.parse(read(`${file}.map`)).sources.join()).to.not.match(/node_modules\/sockjs-client/)
      })
    })
  }

  describe('a small script', () => {
    let folder: string

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'token-socket-builds-'))
      mkdirSync(join(folder, 'client', 'src'), { recursive: true })
    })

    afterEach(() => rmSync(folder, { recursive: true, force: true }))

    /** Builds one file of the client's. @returns what is wrong with it */
    async function errorsOf(source: string): Promise<readonly string[]> {
      const file = join(folder, 'client', 'src', 'heir.ts')
      writeFileSync(file, source)
      writeFileSync(join(folder, 'client', 'src', 'base.ts'), 'export class Base {\n  #own = 1\n}\n')
      const settings = { entryPoints: [file], plugins: [plainPrivates], write: false, bundle: true }
      const failure = await build({ ...settings, logLevel: 'silent' as const }).catch((error) => error)
      return (failure.errors as { text: string }[]).map(({ text }) => text)
    }

    it('is not built where a class has private members besides those of its base', async () => {
      for (const modifiers of ['', 'export ', 'export abstract '])
        expect(
          await errorsOf(
            `import { Base } from './base.js'\n${modifiers}class Heir<T> extends Base {\n  #other = 2\n}\n`,
          ),
        ).to.deep.equal(['Heir extends Base, and their private members would clash'])
    })

    it('is built where it has none, or the base is built in', async () => {
      expect(await errorsOf(`import { Base } from './base.js'\nexport class Heir extends Base {}\n`)).to.be
        .empty
      expect(await errorsOf(`export class Heir extends Error {\n  #other = 2\n}\n`)).to.be.empty
    })
  })
}
