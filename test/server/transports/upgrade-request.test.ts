import { expect } from 'chai'
import { inNodeOnly } from '../../only-in.js'
import { Carrier } from './carrier.js'
import { keptAfterCollection, watchUpgrades } from './watched-upgrades.js'

const PATHS = ['/sockets/websocket', '/sockets/000/session/websocket'] as const

describe('The request of an upgrade', () => {
  let carrier: Carrier

  beforeEach(async () => {
    carrier = await Carrier.start({})
  })
  afterEach(() => carrier.stop())

  for (const path of PATHS) {
    inNodeOnly('the HTTP server of Bun keeps it').it(
      `is not kept for the life of the connection: ${path}`,
      async () => {
        const requests = watchUpgrades(carrier.server.http)
        const { peer, guest } = await carrier.open(path)
        peer.socket.send('["x"]')
        await guest.messages.next()
        expect(requests).to.have.length(1)
        expect(await keptAfterCollection(requests)).to.equal(0)
        expect(peer.socket.readyState).to.equal(peer.socket.OPEN)
      },
    )

    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`x${at}`, 'y']))
    /** Those of `ws` and of Node: Host, Connection, Upgrade, the key, the version, the extensions. */
    const OWN = 6

    it(`is refused with more than 100 headers: ${path}`, async () => {
      expect(await carrier.refusal(path, { headers: fields(101 - OWN) })).to.equal(431)
      await carrier.open(path, { headers: fields(100 - OWN) })
    })

    it(`is refused with a URL of more than 2,048: ${path}`, async () => {
      const url = (length: number) => `${path}?`.padEnd(length, 'x')
      expect(await carrier.refusal(url(2049))).to.equal(414)
      await carrier.open(url(2048))
    })
  }

  it('is refused with headers of more than 16 KiB, where the HTTP server takes them', async () => {
    await carrier.stop()
    carrier = await Carrier.start({ http: { maxHeaderSize: 64 * 1024 } })
    const headers = (length: number) => ({ headers: { x: 'y'.repeat(length) } })
    expect(await carrier.refusal('/sockets/websocket', headers(16 * 1024))).to.equal(431)
    await carrier.open('/sockets/websocket', headers(15 * 1024))
  })
})
