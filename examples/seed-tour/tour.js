// Runs the snippets of the two old READMEs, one after the other, on this server and this client, and prints what
// happens. `PORT` chooses the port, `DEBUG=1` shows the server's log.

import * as emitter from './client/event-emitter-interface.js'
import { connect } from './client/initialization.js'
import * as clientChannels from './client/publish-subscribe.js'
import * as clientRpc from './client/rpc-interface.js'
import { connectByPort } from './client/server-client.js'
import { tryCleanup } from './server/cleanup.js'
import * as events from './server/events.js'
import { startServer } from './server/initialization.js'
import { listSockets } from './server/list-sockets.js'
import * as serverChannels from './server/publish-subscribe.js'
import * as serverRpc from './server/rpc-interface.js'

/** What the steps share: `tokenServer`, `address`, `stop`, and the client's `socket`. */
const tour = { connectAs: (email) => connect(tour.address, email) }

/** @type {readonly (readonly [heading: string, run: (shared: typeof tour) => unknown])[]} */
const steps = [
  ['Server: Initialization', async () => Object.assign(tour, await startServer())],
  ['Server: Events', ({ tokenServer }) => events.addListeners(tokenServer)],
  ['Client: Initialization', async () => Object.assign(tour, { socket: await tour.connectAs('ada') })],
  ['Server: Events, at work', events.tryEvents],
  ['Server: Events, removed', events.removeListeners],
  ['Client: RPC Interface', clientRpc.callServer],
  ['Client: RPC Interface, actions', clientRpc.registerActions],
  ['Server: RPC Interface', serverRpc.tryRpcInterface],
  ['Server: Initialization, routes', serverRpc.tryRoutes],
  ['Client: Handle Messages on Channels', clientChannels.handleMessages],
  ['Client: Subscribe to a Channel', clientChannels.subscribe],
  ['Client: Publish on a Channel', clientChannels.publish],
  ['Client: Broadcast on all Channels', clientChannels.broadcast],
  ['Server: List Sockets', listSockets],
  ['Client: Unsubscribe from a Channel', clientChannels.unsubscribe],
  ['Server: Subscribe a socket to a channel', serverChannels.subscribeSockets],
  ['Server: Publish a message', serverChannels.publishMessage],
  ['Server: Broadcast a message', serverChannels.broadcastMessage],
  ['Server: List Channels', serverChannels.listChannels],
  ['Server: Unsubscribe a socket from a channel', serverChannels.unsubscribeSockets],
  ['Server: Inspect channel sockets', serverChannels.inspectChannel],
  ['Server: Filtering Messages', serverChannels.filterMessages],
  ['Client: Event Emitter Interface', emitter.tryEvents],
  ['Server: Cleanup', tryCleanup],
  ['Client: Server Client', connectByPort],
  ['Client: Close Socket', clientChannels.closeSocket],
  ['Server: Shutdown', serverChannels.shutDown],
]

for (const [heading, run] of steps) {
  console.log(`\n## ${heading}`)
  await run(tour)
}
