import { expect } from 'chai'
import { useSites } from './fixture.js'
import { MB } from './memory.js'
import { OPCODES } from './raw-websocket.js'
import { subscribed } from './stalled-readers.js'

/** Bytes a second that a slow reader takes. */
const PACE = 4 * MB

/** So often, and so soon, that anything in the way of a ping would show: the publication takes longer than both. */
const PINGS = { pingInterval: 250, pingTimeout: 250 }

describe('a publication of 5 MB', () => {
  const start = useSites()
  const PUBLICATION = 'x'.repeat(5 * MB)

  for (const path of ['/sockets/websocket', '/sockets/000/slow/websocket']) {
    it(`reaches a slow reader on ${path}, and nobody is cut off`, async () => {
      const site = await start({ ...PINGS, limits: { outbox: 16 * MB } })
      const idle = await site.ready()
      const slow = await subscribed(site, 'large', path)
      slow.readAtMost(PACE)
      await site.sockets.publish('large', PUBLICATION)
      const large = await slow.find(OPCODES.text, (payload) => payload.length >= PUBLICATION.length)
      expect(large).to.include('large').and.to.include(PUBLICATION)
      // It is pinged, as ever, and answers.
      const { pings } = slow
      while (slow.pings === pings) await slow.find(OPCODES.ping, () => slow.pings > pings)
      expect(site.sockets.sockets()).to.have.length(2)
      expect(idle.state).to.equal('ready')
      slow.destroy()
    })
  }
})
