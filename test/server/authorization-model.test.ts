/**
 * The real parts of a server, whose users' rights change all the time, in interleavings made of seeds.
 * `npm run model -- authorization` plays more of them.
 */
import { expect } from 'chai'
import { FAULTS } from './authorization-model/faults.js'
import { play, playSeed } from './authorization-model/play.js'
import { makeStory } from './authorization-model/story.js'

const SEEDS = 2_000

/** Seeds in which a fault has to be found. */
const FEW = 200

describe('rights that change, whatever happens', () => {
  it(`allow every delivery, and miss none, in ${SEEDS} interleavings`, async function () {
    this.timeout(300_000)
    for (let seed = 1; seed <= SEEDS; seed += 1) expect((await playSeed(seed)) ?? '').to.equal('')
  })

  it('are told with all that led to it, made short, where something is wrong', async () => {
    const undo = FAULTS['a change judges nothing again']?.()
    try {
      let told: string | undefined
      for (let seed = 1; told === undefined; seed += 1) told = await playSeed(seed)
      expect(told)
        .to.match(/^seed \d+/)
        .and.to.include('version')
    } finally {
      undo?.()
    }
  })

  for (const [name, install] of Object.entries(FAULTS))
    it(`show that ${name}`, async function () {
      this.timeout(60_000)
      const undo = install()
      try {
        let found = 0
        for (let seed = 1; seed <= FEW && found === 0; seed += 1)
          if ((await play(makeStory(seed))).complaints.length > 0) found = seed
        expect(found).to.be.above(0)
      } finally {
        undo()
      }
    })
})
