import { expect } from 'chai'
import { parseSource, readSources } from './source-file.js'
import { openSwitches } from './switches.js'

const found = (text: string) => openSwitches(parseSource('a', text)).length

describe('the switches over types of messages', () => {
  it('do not compile with a type that they do not know', () => {
    expect(readSources().flatMap(openSwitches)).to.deep.equal([])
  })

  it('are found where a new type would pass in silence', () => {
    const cases = "case 'a': return 1"
    expect(found(`function f(m: M): void { switch (m.type) { ${cases} } }`)).to.equal(1)
    expect(found(`function f(m: M): Promise<unknown> { switch (m.type) { ${cases} } }`)).to.equal(1)
    expect(found(`function f(m: M) { switch (m.type) { ${cases} } }`)).to.equal(1)
    expect(found(`function f(m: M): number { switch (m.type) { ${cases}; default: return 2 } }`)).to.equal(1)
  })

  it('are closed by `satisfies never`, by a return type, or by what takes the rest', () => {
    const cases = "case 'a': return 1"
    expect(
      found(`function f(m: M): void { switch (m.type) { ${cases}; default: m satisfies never } }`),
    ).to.equal(0)
    expect(found(`function f(m: M): number { switch (m.type) { ${cases} } }`)).to.equal(0)
    expect(
      found(`function f(m: M): void { switch (m.type) { ${cases}; default: return rest(m) } }`),
    ).to.equal(0)
    expect(found(`function f(m: M): void { switch (m.kind) { ${cases} } }`)).to.equal(0)
  })
})
