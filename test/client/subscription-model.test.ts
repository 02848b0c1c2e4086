/** The real client against the real channels of a server, in histories made of seeds. `npm run model` plays more of them. */
import { expect } from 'chai'
import { restoreGlobals } from './globals.js'
import { playSeed } from './subscription-model/play.js'

const SEEDS = 5000

describe('subscriptions, whatever happens', () => {
  after(restoreGlobals)

  it(`agree at both ends, and every difference was an event, in ${SEEDS} histories`, async function () {
    this.timeout(300_000)
    for (let seed = 1; seed <= SEEDS; seed += 1) expect((await playSeed(seed)) ?? '').to.equal('')
  })
})
