import { createTimeouts } from '@token-socket/protocol'
import type { Position, Receipt } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { OwnDeliveries } from '#redis/own-deliveries.js'

describe('OwnDeliveries', () => {
  const kept = { id: 'other', epoch: 'e', offset: 3 }
  let clock: sinon.SinonFakeTimers
  let place: Position | undefined
  let own: OwnDeliveries
  let settled: unknown[]

  beforeEach(() => {
    clock = sinon.useFakeTimers()
    place = undefined
    own = new OwnDeliveries(createTimeouts(), () => place)
    settled = []
  })

  afterEach(() => clock.restore())

  /** Sends one with the id `sent`, which Redis accepts at once. */
  const send = async (receipt: Receipt) => {
    void own.around('sent', async () => receipt).then(({ id }) => settled.push(id))
    await clock.tickAsync(0)
  }

  for (const receipt of [{ id: 'sent' }, kept]) {
    const kind = 'offset' in receipt ? 'kept' : 'not kept'

    it(`waits until the publication is delivered: ${kind}`, async () => {
      await send(receipt)
      await clock.tickAsync(900)
      own.delivered('foreign')
      await clock.tickAsync(0)
      expect(settled).to.deep.equal([])
      own.delivered(receipt.id)
      await clock.tickAsync(0)
      expect(settled).to.deep.equal([receipt.id])
    })

    it(`waits for a second at most: ${kind}`, async () => {
      await send(receipt)
      await clock.tickAsync(999)
      expect(settled).to.deep.equal([])
      await clock.tickAsync(2)
      expect(settled).to.deep.equal([receipt.id])
    })

    it(`does not wait once nothing is delivered any more: ${kind}`, async () => {
      await send(receipt)
      own.end()
      await clock.tickAsync(0)
      await send(receipt)
      expect(settled).to.deep.equal([receipt.id, receipt.id])
    })
  }

  it('does not wait for what this node is past', async () => {
    place = { epoch: 'e', offset: 3 }
    await send(kept)
    expect(settled).to.deep.equal(['other'])
  })

  it('does not wait for what was published before by its key', async () => {
    await send({ id: 'earlier' })
    expect(settled).to.deep.equal(['earlier'])
  })

  it('does not wait for what was delivered before Redis accepted it', async () => {
    const published = own.around('sent', async () => {
      own.delivered('sent')
      return { id: 'sent' }
    })
    expect(await published).to.deep.equal({ id: 'sent' })
  })

  it('fails as sending fails', async () => {
    const error = new Error('away')
    expect(await own.around('sent', () => Promise.reject(error)).catch((cause) => cause)).to.equal(error)
  })
})
