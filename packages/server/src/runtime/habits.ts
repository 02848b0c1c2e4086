/** Methods of Socket.IO's server, and what to call instead. */
export const SERVER_HABITS = {
  to: 'sockets.publish(channel, data) reaches all sockets on a channel',
  in: 'sockets.publish(channel, data) reaches all sockets on a channel',
  sendTo: 'sockets.send(connectionId, data)',
  disconnect: 'sockets.close(connectionId)',
  of: 'the option prefix sets servers apart, and channels set messages apart',
} as const

/** The same for a server's socket. */
export const SOCKET_HABITS = {
  join: 'socket.subscribe(channel)',
  leave: 'socket.unsubscribe(channel)',
  to: 'sockets.publish(channel, data) reaches all sockets on a channel',
  emit: 'socket.rpc(name, data) calls an action of its client, sockets.publish(channel, data) reaches a channel',
  on: "clients call the functions of socketController; a socket's end is an event of the server: sockets.on('disconnected', listener)",
  disconnect: 'socket.end()',
  terminate: 'socket.close()',
  ping: 'the server asks for heartbeats itself: the option pingInterval',
} as const

/**
 * Adds methods to a class that throw a `TypeError` with the method to call instead. Existing
 * methods stay.
 */
export function explainHabits(
  own: { readonly prototype: object },
  habits: Readonly<Record<string, string>>,
): void {
  for (const [name, instead] of Object.entries(habits)) {
    if (name in own.prototype) continue
    const value = () => {
      throw new TypeError(`There is no ${name}() here: ${instead}`)
    }
    Object.defineProperty(own.prototype, name, { value, configurable: true, writable: true })
  }
}
