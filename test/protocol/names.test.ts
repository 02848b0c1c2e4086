import { BUILT_IN, NAME_LIMITS, PROTOCOL_VERSION } from '@token-socket/protocol'
import { expect } from 'chai'

describe('names', () => {
  it('PROTOCOL_VERSION is 1', () => expect(PROTOCOL_VERSION).to.equal(1))

  it('BUILT_IN holds the `rpc` names of the legacy pair, and ours', () => {
    expect(BUILT_IN).to.deep.equal({
      auth: 'auth',
      subscribe: '_subscribe',
      unsubscribe: '_unsubscribe',
      publish: '_publish',
      history: '_history',
      broadcast: '_broadcast',
      ping: '_ping',
      result: '_rpc',
      cancel: '_cancel',
      refresh: '_refresh',
      send: '_send',
    })
  })

  describe('NAME_LIMITS', () => {
    it('are whole numbers above 0', () => {
      for (const limit of Object.values(NAME_LIMITS))
        expect(limit).to.satisfy(Number.isSafeInteger).and.above(0)
    })

    it('leave room for the ids of the legacy pair: 10 characters from the client, a UUID from the server', () => {
      expect(NAME_LIMITS.id).to.be.at.least('c0ffee00-0000-4000-8000-000000000000'.length)
    })

    it('leave room for a token within an auth frame of 8 KiB', () => {
      expect(NAME_LIMITS.token).to.be.below(8 * 1024 - 256)
    })
  })
})
