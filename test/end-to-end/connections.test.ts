/** Each row of docs/CONNECTIONS.md, done on one node. */
import { expect } from 'chai'
import { documented, rows } from './connection-rows.js'
import { useSites } from './fixture.js'

const OPTIONS = { connectionQuery: ['name'], connectionHeaders: ['Host'] }

describe('connections by id', () => {
  const start = useSites()

  for (const [title, run] of Object.entries(rows)) {
    it(title, async () => {
      const site = await start(OPTIONS)
      await run({ site, ws: site.sockets })
    })
  }

  it('have a test for each row of docs/CONNECTIONS.md, and no other', () => {
    expect(Object.keys(rows)).to.have.members(documented)
  })
})
