import type { ConnectionState, StateDetails, TokenSocket } from '@token-socket/client'
import { markHandled, RpcError } from '@token-socket/protocol'

/** The members of a client that are about its connection. */
export function connectionMembers(socket: TokenSocket) {
  return {
    $socket: socket,
    $withReconnect: (callback: () => unknown) => socket.onrestored(callback),
    $onError(listener: (error: RpcError) => unknown) {
      const own = (error: RpcError) => void listener(error)
      socket.on('error', own)
      return () => void socket.off('error', own)
    },
    $connect() {
      socket.resume()
      return markHandled(whenReady(socket))
    },
    async $disconnect() {
      socket.suspend()
    },
  }
}

/** Resolves when a socket is ready; rejects when it never will be, or is to be away. */
function whenReady(socket: TokenSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (state: ConnectionState, details?: StateDetails) => {
      if (state === 'connecting' || state === 'waiting') return
      socket.off('state', look)
      if (state === 'ready') resolve()
      else reject(details?.error ?? new RpcError('ended'))
    }
    socket.on('state', look)
    look(socket.state)
  })
}
