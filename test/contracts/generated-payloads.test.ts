import { runPayloads } from './generated/payloads.js'

/** Printed with a counterexample; `npm run payloads` takes it. */
const SEED = Number(process.env.PAYLOAD_SEED ?? 20_260)

describe('payloads made from schemas of Zod, Valibot and ArkType', () => {
  it('are refused with a path at every receiver, and reach none, when they have a fault', async function () {
    this.timeout(120_000)
    await runPayloads({ kind: 'faulty', count: 2000, seed: SEED, randomShapes: 12 })
  })

  it('reach every receiver as they were sent when they fit', async function () {
    this.timeout(120_000)
    await runPayloads({ kind: 'valid', count: 1000, seed: SEED, randomShapes: 12 })
  })
})
