import { expect } from 'chai'
import { DEFAULT_TRANSPORTS, TRANSPORT_NAMES, TransportSet } from '#server/transports/transport-names.js'

describe('TransportSet', () => {
  describe('#has', () => {
    it('knows those that are on', () => {
      const set = new TransportSet(DEFAULT_TRANSPORTS)
      expect(TRANSPORT_NAMES.filter((name) => set.has(name))).to.deep.equal(DEFAULT_TRANSPORTS)
    })

    it('stays as it is when the list changes', () => {
      const names = [...DEFAULT_TRANSPORTS]
      const set = new TransportSet(names)
      names.push('htmlfile')
      expect(set.has('htmlfile')).to.equal(false)
    })
  })

  describe('#uses', () => {
    it('knows the paths of those that are on', () => {
      const set = new TransportSet(['xhr-streaming', 'jsonp-polling'])
      for (const part of ['xhr_streaming', 'xhr_send', 'jsonp', 'jsonp_send']) {
        expect(set.uses(part), part).to.equal(true)
      }
      for (const part of ['xhr', 'eventsource', 'htmlfile', 'websocket', 'iframe']) {
        expect(set.uses(part), part).to.equal(false)
      }
    })

    it('knows no path by a name that every object has', () => {
      const set = new TransportSet(TRANSPORT_NAMES)
      for (const part of ['constructor', '__proto__', 'toString', '']) expect(set.uses(part)).to.equal(false)
    })
  })
})
