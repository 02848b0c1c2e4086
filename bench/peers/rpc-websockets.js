import { Server } from 'rpc-websockets'
import { publishAll } from './publish-all.js'

/** rpc-websockets: JSON-RPC 2.0. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  const sockets = new Server({ server, perMessageDeflate: false })
  sockets.event('news')
  sockets.register('echo', (data) => data)
  sockets.register('publish', (request) => publishAll(request, (data) => sockets.emit('news', data)))
  return {}
}
