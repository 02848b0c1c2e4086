import { existsSync, readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import { expect } from 'chai'
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
}
