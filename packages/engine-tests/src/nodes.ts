import type { Engine } from '@token-socket/server/engine'
import { expect } from 'chai'
import type { EngineSettings, MakeNodes } from './settings.js'
import { slowIt } from './slow-case.js'

/** Milliseconds that answers may take in cases in which none is missing. */
const LONG = 30_000

/** Milliseconds after which a node that died is not listed any longer. */
const GONE = 15_000

const upper = async (question: string) => question.toUpperCase()

/** The cases of one node. */
export function describeNodes(make: MakeNodes): void {
  it('have ids of letters, digits, `-` and `_`', async () => {
    const [{ nodes }] = await make(1)
    expect(nodes.id).to.match(/^[\w-]{1,64}$/)
  })

  describe('#list', () => {
    it('names this node', async () => {
      const [{ nodes }] = await make(1)
      expect(await nodes.list()).to.deep.equal([nodes.id])
    })
  })

  describe('#ask', () => {
    it('asks other nodes only', async () => {
      const [{ nodes }] = await make(1)
      nodes.serve(upper)
      const { answers, missing } = await nodes.ask('who?', { timeout: LONG })
      expect([answers.size, missing.size]).to.deep.equal([0, 0])
    })

    it('does not reach an unknown node', async () => {
      const [{ nodes }] = await make(1)
      const { answers, missing } = await nodes.ask('you?', { node: 'unknown', timeout: LONG })
      expect([...answers]).to.deep.equal([])
      expect([...missing]).to.deep.equal([['unknown', 'unreached']])
    })
  })
}

/** The cases of several nodes. */
export function describeSharedNodes(make: MakeNodes, settings: EngineSettings): void {
  const start = async (count: number) => {
    const engines = await make(count)
    for (const { nodes } of engines) nodes.serve(async (question) => `${nodes.id}: ${question}`)
    return engines as unknown as readonly [Engine, Engine, ...Engine[]]
  }

  it('have ids of their own, and know each other', async () => {
    const engines = await start(3)
    const ids = engines.map(({ nodes }) => nodes.id)
    expect(new Set(ids).size).to.equal(3)
    for (const { nodes } of engines) expect(await nodes.list()).to.have.members(ids)
  })

  it('do not wait for a node that closes while it is asked', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [one, two] = await start(2)
      const asked: Promise<unknown>[] = []
      let isClosed = false
      const closed = two.close().then(() => {
        isClosed = true
      })
      while (!isClosed) {
        // Longer than any test may take.
        asked.push(one.nodes.ask('who?', { timeout: 20 * LONG }))
        await new Promise(setImmediate)
      }
      await closed
      await Promise.all(asked)
      await one.close()
    }
  })

  it('do not wait for a node that closes while it answers', async () => {
    const [one, two] = await start(2)
    const asked = new Promise<void>((resolve) =>
      two.nodes.serve(() => {
        resolve()
        return new Promise(() => {})
      }),
    )
    // Longer than any test may take.
    const answer = one.nodes.ask('who?', { timeout: 20 * LONG })
    await asked
    await two.close()
    expect([...(await answer).missing]).to.deep.equal([[two.nodes.id, 'silent']])
  })

  it('neither list nor ask a node that has withdrawn', async () => {
    const [one, two] = (await make(2)) as unknown as readonly [Engine, Engine]
    if (!two.nodes.withdraw) return
    one.nodes.serve(upper)
    // It was a node, and another node has seen it.
    expect(await one.nodes.list()).to.have.members([one.nodes.id, two.nodes.id])
    two.nodes.withdraw()
    expect(await two.nodes.list()).to.deep.equal([one.nodes.id])
    expect(await one.nodes.list()).to.deep.equal([one.nodes.id])
    const { answers, missing } = await one.nodes.ask('who?', { timeout: LONG })
    expect([answers.size, missing.size]).to.deep.equal([0, 0])
    const byId = await one.nodes.ask('you?', { node: two.nodes.id, timeout: LONG })
    expect([...byId.missing]).to.deep.equal([[two.nodes.id, 'unreached']])
    const own = await two.nodes.ask('who?', { timeout: LONG })
    expect([...own.answers.values()]).to.deep.equal(['WHO?'])
    expect(() => one.nodes.withdraw?.()).to.throw(/server/)
  })

  describe('#ask', () => {
    it('asks every other node', async () => {
      const [one, ...others] = await start(3)
      const { answers, missing } = await one.nodes.ask('Wie geht’s? 😀\n{}', { timeout: LONG })
      const expected = others.map(({ nodes }) => [nodes.id, `${nodes.id}: Wie geht’s? 😀\n{}`])
      expect([...answers]).to.have.deep.members(expected)
      expect(missing.size).to.equal(0)
    })

    it('asks one', async () => {
      const [one, two] = await start(3)
      const { answers } = await one.nodes.ask('you?', { node: two.nodes.id, timeout: LONG })
      expect([...answers]).to.deep.equal([[two.nodes.id, `${two.nodes.id}: you?`]])
    })

    it('answers each of many concurrent questions', async () => {
      const [one, two] = await start(2)
      two.nodes.serve(async (question) => {
        if (Number(question) % 2 === 0) await new Promise(setImmediate)
        return question
      })
      const questions = Array.from({ length: 50 }, (_, index) => String(index))
      const asked = questions.map((question) => one.nodes.ask(question, { timeout: LONG }))
      const said = (await Promise.all(asked)).map(({ answers }) => answers.get(two.nodes.id))
      expect(said).to.deep.equal(questions)
    })

    it('carries a long question and a long answer', async () => {
      const [one, two] = await start(2)
      two.nodes.serve(upper)
      const { answers } = await one.nodes.ask('x'.repeat(300_000), { timeout: LONG })
      expect(answers.get(two.nodes.id)).to.equal('X'.repeat(300_000))
    })

    it('reports a node that throws as silent', async () => {
      const [one, two, three] = await start(3)
      two.nodes.serve(async () => {
        throw new Error('of the test')
      })
      const { answers, missing } = await one.nodes.ask('who?', { timeout: LONG })
      expect([...answers.keys()]).to.deep.equal([three?.nodes.id])
      expect([...missing]).to.deep.equal([[two.nodes.id, 'silent']])
    })

    it('waits for its timeout, and no longer', async () => {
      const [one, two, three] = await start(3)
      two.nodes.serve(() => new Promise(() => {}))
      const { answers, missing } = await one.nodes.ask('who?', { timeout: 300 })
      expect([...answers.keys()]).to.deep.equal([three?.nodes.id])
      expect([...missing]).to.deep.equal([[two.nodes.id, 'silent']])
    })
  })

  const { kill } = settings
  if (!kill) return
  slowIt('do not list a node that has died', 10 * GONE, async () => {
    const engines = await start(3)
    const clock = settings.clock()
    try {
      const [one, two, three] = engines
      kill(two)
      await clock.pass(GONE)
      expect(await one.nodes.list()).to.have.members([one.nodes.id, three?.nodes.id])
    } finally {
      clock.restore()
    }
  })
}
