import { expect } from 'chai'
import { processWide } from '#server/runtime/process-wide.js'

describe('processWide', () => {
  it('is one map for all copies of the package, by name', async () => {
    const own = processWide<object, string>('test 1')
    const copy = `../../../packages/server/src/runtime/process-wide.ts?${Math.random()}`
    const other: typeof import('#server/runtime/process-wide.js') = await import(copy)
    expect(other.processWide).not.to.equal(processWide)
    expect(other.processWide('test 1')).to.equal(own)
    expect(other.processWide('test 2')).not.to.equal(own)
  })
})
