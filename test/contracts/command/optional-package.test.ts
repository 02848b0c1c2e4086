import { expect } from 'chai'
import { loadPackage, MissingPackageError } from '#contract/asyncapi/optional-package.js'

const failing = (message: string, code?: string) => async () => {
  throw Object.assign(new Error(message), code && { code })
}

describe('loadPackage', () => {
  it('gives what a package exports, by whichever kind of module', async () => {
    expect(await loadPackage('x', async () => ({ a: 1 }))).to.deep.include({ a: 1 })
    expect(await loadPackage('x', async () => ({ default: { a: 1 } }))).to.deep.include({ a: 1 })
  })

  for (const code of ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']) {
    it(`says how to install what is missing (${code})`, async () => {
      const error = await loadPackage('jiti', failing("Cannot find package 'jiti'", code)).catch(
        (e: unknown) => e,
      )
      expect(error).to.be.instanceOf(MissingPackageError)
      expect(error).to.include({
        message: 'The package jiti is missing. Install it: npm install -D jiti',
      })
    })
  }

  it('passes on what is wrong within the package, also a dependency that it lacks', async () => {
    for (const load of [
      failing('broken'),
      failing("Cannot find package 'another'", 'ERR_MODULE_NOT_FOUND'),
    ]) {
      const error = await loadPackage('jiti', load).catch((caught: unknown) => caught)
      expect(error).to.not.be.instanceOf(MissingPackageError)
    }
  })
})
