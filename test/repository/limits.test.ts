/** Limits travel as `limits`: a search for `limits.publication` finds where that limit is used. */
import { expect } from 'chai'
import { DEFAULT_LIMITS } from '#server/options/limits.js'
import { readSources } from './source-file.js'

const sources = readSources().filter(
  ({ name }) => /^(server|protocol)\//.test(name) && !name.startsWith('server/options'),
)

/** Comments say much about limits, and use none. */
const codeOf = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')

/** Whether a code reads a limit: as `limits.name`, or by `const { name } = limits`. */
function uses(code: string, name: string): boolean {
  if (new RegExp(`\\b[lL]imits\\??\\.${name}\\b`).test(code)) return true
  const taken = code.matchAll(/\{([^{}]*)\} = [\w.#]*\b[lL]imits\b/g)
  return [...taken].some(([, names = '']) => new RegExp(`\\b${name}\\b`).test(names))
}

describe('the limits of the server', () => {
  for (const name of Object.keys(DEFAULT_LIMITS))
    it(`has uses of ${name} that a search finds`, () => {
      const found = sources.filter(({ text }) => uses(codeOf(text), name))
      expect(found.map((file) => file.name)).not.to.deep.equal([])
    })

  it('are spread into no other settings', () => {
    // A socket's calls have a timeout, by default that of the limits.
    const isSpread = /\.\.\.(this\.#\w+\.|\w+\.)?limits\b(?!, timeout: limits\.callTimeout)/
    const server = sources.filter(({ name }) => name.startsWith('server/'))
    const spread = server.filter(({ text }) => isSpread.test(codeOf(text)))
    expect(spread.map(({ name }) => name)).to.deep.equal([])
  })

  it('are found in both ways', () => {
    expect(uses('const limit = owner.limits.rate', 'rate')).to.equal(true)
    expect(uses('const { rate, answers: limit } = this.#owner.limits', 'answers')).to.equal(true)
    expect(uses('const { rate } = this.#owner', 'rate')).to.equal(false)
  })
})
