/** Real parts of a server, whose users' rights change all the time, in stories made of seeds. `npm run model -- authorization` plays more. */
import { expect } from 'chai'
import { playSeed } from './authorization-model/play.js'

const SEEDS = 2000

describe('rights that change, whatever happens', () => {
  it(`allow every delivery, and miss none, in ${SEEDS} interleavings`, async function () {
    this.timeout(300_000)
    for (let seed = 1; seed <= SEEDS; seed += 1) expect((await playSeed(seed)) ?? '').to.equal('')
  })
})
