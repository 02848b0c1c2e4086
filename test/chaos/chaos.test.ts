import { expect } from 'chai'
import { chaos } from './chaos.js'

describe('nodes and Redis that are killed under load', function () {
  this.timeout(600_000)

  it('lose, double and disorder nothing that was acknowledged', async () => {
    const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 32))
    console.log(`        seed ${seed}`)
    const report = await chaos({
      seed,
      nodes: 3,
      clients: 60,
      channels: 10,
      publications: 8000,
      nodeEvery: 2500,
      redisEvery: 5000,
    })
    console.log(`        ${JSON.stringify(report)}`)
    expect(report.faults).to.deep.equal([])
    expect(report.acknowledged).to.be.at.least(8000)
    expect(report.nodeKills).to.be.at.least(1)
    expect(report.redisKills).to.be.at.least(1)
    expect(report.gaps).to.equal(0)
  })
})
