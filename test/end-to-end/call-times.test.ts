/** What a caller, and the log, learn of a call that has timed out. */
import { expect } from 'chai'
import { rejection, until, useSites } from './fixture.js'

const LATE = 'a function did not answer in time'

describe('a call that times out', () => {
  const sites = useSites()
  const hang = () => new Promise(() => {})
  const options = {
    limits: { callTimeout: 50 },
    functions: { 'reports.*': { timeout: 80 } },
    socketController: { hang, reports: { year: hang } },
  }

  for (const [name, timeout, limit, hinted] of [
    ['hang', undefined, 50, false],
    ['hang', 60_000, 50, true],
    ['reports.year', undefined, 50, false],
    ['reports.year', 60_000, 80, true],
  ] as const)
    it(`of ${name}, asked for ${timeout ?? 'no time'}: says it had ${limit} ms, to the caller and the log`, async () => {
      const site = await sites(options)
      const client = await site.ready()
      const error = await rejection(client.rpc(name, 1, timeout === undefined ? {} : { timeout }))
      expect(error.code).to.equal('timeout')
      const data = error.data as { readonly limit: number; readonly hint?: string }
      expect(data).to.include({ function: name, limit })
      expect(error.message).to.include(`Timed out: ${name} (limit ${limit} ms)`)
      expect(data.hint !== undefined).to.equal(hinted)
      await until(() => site.log.some(({ message }) => message === LATE))
      const line = site.log.find(({ message }) => message === LATE)
      expect(line?.details).to.include({ function: name, limit })
      expect(line?.details.asked).to.equal(timeout)
    })

  it('is a text to the legacy client', async () => {
    const site = await sites(options)
    const peer = await site.member()
    expect(await peer.ask({ rpc: 'hang' })).to.deep.include({ error: 'Timed out', code: 'timeout' })
  })
})
