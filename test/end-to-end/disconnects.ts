/** For each reason of `disconnected`, a way in which a socket ends so. */
import type { DisconnectReason } from '@token-socket/server'
import type { Site, SiteOptions } from './fixture.js'
import type { Peer, PlainPeer } from './peer.js'

interface Disconnect {
  readonly options?: SiteOptions
  end(peer: Peer, site: Site): unknown
  /** The close code that the server reports. */
  readonly code: number
  readonly wasClean?: false
}

const first = ({ sockets }: Site) => sockets.sockets()[0]

export const DISCONNECTS: Readonly<Partial<Record<DisconnectReason, Disconnect>>> = {
  client_closed: { end: (peer) => (peer as PlainPeer).close(4002, 'slow_consumer'), code: 4002 },
  connection_lost: { end: (peer) => peer.destroy(), code: 1006, wasClean: false },
  closed_by_server: { end: (_peer, site) => first(site)?.end(), code: 4001 },
  disconnected: {
    end: (_peer, { sockets }) =>
      sockets.cluster.disconnect({ sid: first({ sockets } as Site)?.sid ?? '' }, { reconnect: false }),
    code: 4502,
  },
  shutting_down: { end: (_peer, { sockets }) => sockets.shutdown(), code: 4000 },
  bad_messages: {
    options: { limits: { wrongMessages: 1 } },
    end: (peer) => peer.sendTexts('?', '?', '?'),
    code: 4503,
  },
  too_many_messages: {
    options: { limits: { rate: 1 } },
    end: (peer) => peer.sendTexts(...Array.from({ length: 10_010 }, () => '{"rpc":"a","uuid":"1"}')),
    code: 4007,
  },
  too_large: {
    options: { limits: { message: 10_000 } },
    end: (peer) => peer.sendTexts(`"${'x'.repeat(20_000)}"`),
    code: 1009,
  },
  protocol_error: { end: (peer) => peer.sendRaw(Buffer.from([1])), code: 1003 },
}
