/** The processes of the cluster example, in every order of starting, dying, being replaced and stopped. */
import { EventEmitter } from 'node:events'
import { expect } from 'chai'
import sinon from 'sinon'
import { KeptProcess } from '../../examples/cluster/kept-process.js'

/** A process that is ready, and ends, when the test says so. */
class FakeChild extends EventEmitter {
  exitCode: number | null = null
  signalCode: string | null = null
  readonly signals: string[] = []
  readonly pid = 1

  kill(signal: string): void {
    this.signals.push(signal)
  }

  send(): void {}

  ready(): void {
    this.emit('message', { isReady: true })
  }

  exit(code = 0): void {
    this.exitCode = code
    this.emit('exit', code, null)
  }

  get isRunning(): boolean {
    return this.exitCode === null
  }
}

/** What can happen to a kept process. */
const MOVES = ['ready', 'dies', 'ends', 'replace', 'wait'] as const

describe('a kept process', () => {
  let children: FakeChild[]
  let kept: KeptProcess
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    sinon.stub(console, 'log')
    sinon.stub(console, 'error')
    children = []
    kept = new KeptProcess('node 1', () => {
      const child = new FakeChild()
      children.push(child)
      return child as never
    })
  })

  afterEach(() => sinon.restore())

  const settled = () => clock.tickAsync(0)
  const running = () => children.filter(({ isRunning }) => isRunning)

  /** Ends each process that was asked to end, and starts those that are due, until nothing changes. */
  async function finish(): Promise<void> {
    for (let round = 0; round < 10; round += 1) {
      await clock.tickAsync(10_000)
      for (const child of running()) if (child.signals.length > 0) child.exit()
      await settled()
      for (const child of running()) child.ready()
      await settled()
    }
  }

  it('that is replaced while it starts again runs once', async () => {
    const first = kept.run()
    children[0]?.ready()
    await first
    children[0]?.exit(1)
    await clock.tickAsync(3000)
    expect(children).to.have.length(2)
    const replaced = kept.replace()
    await settled()
    children[1]?.exit()
    await settled()
    children[2]?.ready()
    await replaced
    await finish()
    expect(running()).to.have.length(1)
    expect(children).to.have.length(3)
    expect(kept.state).to.equal('up')
  })

  it('that is replaced twice at once is replaced once', async () => {
    const first = kept.run()
    children[0]?.ready()
    await first
    const both = Promise.all([kept.replace(), kept.replace()])
    await finish()
    await both
    expect(children).to.have.length(2)
    expect(running()).to.have.length(1)
  })

  it('that is stopped while it is replaced runs no longer', async () => {
    const first = kept.run()
    children[0]?.ready()
    await first
    const replaced = kept.replace()
    await settled()
    const stopped = kept.stop()
    await finish()
    await Promise.all([replaced, stopped])
    expect(running()).to.deep.equal([])
  })

  it('never runs twice, and runs once in the end, whatever happens in whatever order', async () => {
    let seed = 7
    const random = (limit: number) => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % limit
    }
    for (let history = 0; history < 300; history += 1) {
      children = []
      kept = new KeptProcess('node 1', () => {
        const child = new FakeChild()
        children.push(child)
        return child as never
      })
      void kept.run().catch(() => {})
      children[0]?.ready()
      await settled()
      const moves: string[] = []
      for (let step = 0; step < 8; step += 1) {
        const move = MOVES[random(MOVES.length)] ?? 'wait'
        const child = running()[random(Math.max(1, running().length))]
        moves.push(move)
        if (move === 'ready') child?.ready()
        else if (move === 'dies') child?.exit(1)
        else if (move === 'ends' && child && child.signals.length > 0) child.exit()
        else if (move === 'replace') void kept.replace()
        else if (move === 'wait') await clock.tickAsync(1000 * random(5))
        await settled()
        expect(running().length, moves.join(' ')).to.be.at.most(1)
      }
      await finish()
      expect(running(), moves.join(' ')).to.have.length(1)
      expect(kept.state, moves.join(' ')).to.equal('up')
      const stopped = kept.stop()
      await finish()
      await stopped
      expect(running(), `${moves.join(' ')} stop`).to.deep.equal([])
    }
  })
})
