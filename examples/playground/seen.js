// What the server sees: its events, as it publishes them to every page.

/**
 * The channel of the events. The server subscribes every socket to it, and only the server
 * publishes on it.
 */
export const SEEN = 'server'

/**
 * Publishes what happens to sockets.
 * @param {import('@token-socket/server').TokenSocketServer} tokenSockets
 */
export function publishEvents(tokenSockets) {
  const tell = (type, { auth }, details) => {
    if (details.channel === SEEN) return
    tokenSockets.publish(SEEN, { type, name: auth.name, ...details }, { event: 'seen' })
  }
  tokenSockets.on('connected', async (socket) => {
    // First, so that the page sees its own event, too. It fails only if the socket has ended
    // already.
    await tokenSockets.subscribe(socket, SEEN).catch(() => {})
    tell('connected', socket, { transport: socket.transport })
  })
  tokenSockets.on('disconnected', (socket, reason, { duration }) => {
    tell('disconnected', socket, { reason, duration })
  })
  tokenSockets.on('subscribed', (socket, details) => tell('subscribed', socket, details))
  tokenSockets.on('unsubscribed', (socket, details) => tell('unsubscribed', socket, details))
  tokenSockets.on('published', (socket, { channel }) => tell('published', socket, { channel }))
}
