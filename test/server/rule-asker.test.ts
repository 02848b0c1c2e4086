import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { RuleAsker } from '#server/channels/rule-asker.js'

describe('RuleAsker', () => {
  const question = { rule: 'chat-*', channel: 'chat-1', sid: 's' }
  let clock: sinon.SinonFakeTimers
  let [failed, late]: sinon.SinonSpy[] = []

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    failed = sinon.spy()
    late = sinon.spy()
  })

  afterEach(() => sinon.restore())

  const ask = (run: () => unknown) =>
    new RuleAsker({ timeout: 5000, failed: failed as never, late: late as never }).ask(question, run as never)

  const soldOut = new RpcError('sold_out', 'Sold out', { left: 0 })
  const table: [answer: unknown, decision: unknown][] = [
    [true, true],
    [false, false],
    [undefined, false],
    [null, false],
    [1, false],
    ['', false],
    [{}, false],
    [new Error('Sold out'), false],
    [{ code: 'sold_out', message: 'Sold out' }, false],
    [soldOut, soldOut],
  ]
  for (const [answer, decision] of table) {
    it(`${decision === true ? 'allows' : 'refuses'} on ${answer instanceof Error ? answer.name : JSON.stringify(answer)}`, async () => {
      expect(await ask(() => answer)).to.equal(decision)
      expect(await ask(async () => answer)).to.equal(decision)
      expect(failed?.called).to.equal(false)
    })
  }

  it('makes of a text an error with it, and with the channel', async () => {
    for (const run of [() => 'Members only', async () => 'Members only']) {
      const error = (await ask(run)) as RpcError
      expect(RpcError.is(error)).to.equal(true)
      expect(error).to.deep.include({
        code: 'forbidden',
        message: 'Members only',
        data: { channel: 'chat-1' },
      })
    }
  })

  it('refuses with the RpcError that is thrown; what else is thrown is reported, and no reason', async () => {
    const cause = new Error('a secret')
    const thrower = (thrown: unknown) => () => {
      throw thrown
    }
    expect(await ask(thrower(soldOut))).to.equal(soldOut)
    expect(await ask(() => Promise.reject(soldOut))).to.equal(soldOut)
    expect(failed?.called).to.equal(false)
    expect(await ask(thrower(cause))).to.equal(false)
    expect(await ask(() => Promise.reject(cause))).to.equal(false)
    const details = { sid: 's', channel: 'chat-1', rule: 'chat-*' }
    expect(failed?.args).to.deep.equal([
      [cause, details],
      [cause, details],
    ])
  })

  it('reports what is neither true, false nor a reason, and refuses', async () => {
    const unclear = sinon.spy()
    const asker = new RuleAsker({ timeout: 5000, failed: failed as never, unclear })
    for (const answer of [undefined, null, 0, 1, '', {}]) {
      unclear.resetHistory()
      expect(await asker.ask(question, (() => answer) as never)).to.equal(false)
      expect(await asker.ask(question, (async () => answer) as never)).to.equal(false)
      expect(unclear.args).to.deep.equal([
        [question, answer],
        [question, answer],
      ])
    }
    unclear.resetHistory()
    for (const answer of [true, false, 'Full', new RpcError('full')]) await asker.ask(question, () => answer)
    expect(unclear.called).to.equal(false)
  })

  it('refuses after the time-out, and reports which rule and channel', async () => {
    const decision = ask(() => new Promise(() => {}))
    await clock.tickAsync(4999)
    expect(late?.called).to.equal(false)
    await clock.tickAsync(1)
    expect(await decision).to.deep.include({
      code: 'veto_timeout',
      data: { field: 'vetoTimeout', limit: 5000 },
    })
    expect(late?.args).to.deep.equal([[question]])
    expect(failed?.called).to.equal(false)
  })

  it('leaves no timer when it answers, and makes none for an answer that is there at once', async () => {
    const decision = ask(async () => true)
    expect(clock.countTimers()).to.equal(1)
    await decision
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(clock.countTimers()).to.equal(0)
    void ask(() => true)
    expect(clock.countTimers()).to.equal(0)
  })
})
