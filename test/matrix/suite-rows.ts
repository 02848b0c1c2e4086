/** The cheap half of the matrix as tests. `npm run matrix` runs every row. */
import { expect } from 'chai'
import { findExecutables } from '../../scripts/executables.mjs'
import { allRows } from './all-rows.js'
import { play } from './play.js'
import type { Row } from './row.js'
import { keyOf } from './support-document.js'
import { removeTarballs } from './tarballs.js'

/** Groups whose rows take longest. Each half is a file of its own, so that they run side by side. */
export const LONG_GROUPS = ['Bundlers', 'TypeScript']

/** Makes a test of each row that belongs to the suite. @param isWanted which of them a file has */
export async function testRows(isWanted: (row: Row) => boolean): Promise<void> {
  Object.assign(process.env, findExecutables())
  const rows = (await allRows()).filter((row) => row.suite && isWanted(row))

  describe('the matrix', () => {
    after(removeTarballs)

    for (const row of rows) {
      it(`${keyOf(row)} ${row.expected === 'works' ? 'works' : 'is refused'}`, async function () {
        this.timeout(180_000)
        const { result, message } = await play(row, 'links')
        expect(result, message).to.equal(row.expected)
      })
    }
  })
}
