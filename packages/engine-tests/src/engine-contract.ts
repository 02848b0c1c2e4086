import type { Engine } from '@token-socket/server/engine'
import { expect } from 'chai'
import { describeBroker, describeSharedBroker } from './broker.js'
import { describeHistory } from './history.js'
import { describeNodes, describeSharedNodes } from './nodes.js'
import { describePresence, describeSharedPresence } from './presence.js'
import { describeRates, describeSharedRates } from './rates.js'
import { ReceivedMessages } from './received-messages.js'
import type { CreateNodes, EngineSettings, MakeNodes } from './settings.js'
import { describeSharedTickets, describeTickets } from './tickets.js'

/**
 * Defines the tests of one engine, by the global functions `describe`, `it`, `beforeEach` and
 * `afterEach` of a test runner. They take about 5 seconds, and more if time really passes.
 * @param name the engine's name, for the titles
 * @param createNodes makes the engines of one case
 * @example
 * engineContract('memory', (count) => Array.from({ length: count }, () => new MemoryEngine()), {
 *   oneNode: 'it lives in the memory of one process',
 *   clock: () => ({ pass: (ms) => delay(ms), restore: () => {} }),
 * })
 */
export function engineContract(name: string, createNodes: CreateNodes, settings: EngineSettings): void {
  const { oneNode, noRates } = settings
  describe(`the ${name} engine${oneNode === undefined ? '' : ` (one node: ${oneNode})`}`, () => {
    let nodes: readonly Engine[] = []

    afterEach(async () => {
      await Promise.all(nodes.map((node) => node.close()))
      nodes = []
    })

    // One engine for each node of the case.
    const make: MakeNodes = async (count, limits) => {
      nodes = await createNodes(count, limits)
      expect(nodes).to.have.length(count)
      return nodes as unknown as readonly [Engine, ...Engine[]]
    }
    const records = async (count: number) => {
      const made = await make(count)
      return made.map((engine) => new ReceivedMessages(engine)) as unknown as readonly [
        ReceivedMessages,
        ...ReceivedMessages[],
      ]
    }

    describeEngine(make, settings)
    describe('broker', () => describeBroker(records))
    describe('tickets', () => describeTickets(make, settings))
    describe('history', () => describeHistory(make, settings))
    describe('presence', () => describePresence(make, settings))
    describe('nodes', () => describeNodes(make))
    if (noRates === undefined) describe('rates', () => describeRates(make, settings))
    if (oneNode !== undefined) return
    describe('broker of several nodes', () => describeSharedBroker(records))
    describe('tickets of several nodes', () => describeSharedTickets(make))
    if (noRates === undefined) describe('rates of several nodes', () => describeSharedRates(make))
    describe('presence of several nodes', () => describeSharedPresence(make, settings))
    describe('nodes, of which there are several', () => describeSharedNodes(make, settings))
  })
}

function describeEngine(make: MakeNodes, settings: EngineSettings): void {
  it('has a name, and says whether several processes can share it', async () => {
    const [engine] = await make(1)
    expect(engine.name).to.be.a('string').that.is.not.equal('')
    expect(engine.shared).to.equal(settings.oneNode === undefined)
  })

  describe('#close', () => {
    it('resolves, with subscriptions and tickets', async () => {
      const [engine] = await make(1)
      await engine.broker.subscribe('a')
      await engine.tickets.put({ id: 't', json: '1', ttl: 60_000 })
      await engine.close()
    })
  })
}
