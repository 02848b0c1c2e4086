import type { TokenSocket } from '@token-socket/client'

/** TEMPORARY until the client has these. */
export interface PendingSocket extends TokenSocket {
  notify(name: string, data?: unknown): Promise<void>
  onrestored(callback: () => unknown): () => void
}

export function pending(socket: TokenSocket): PendingSocket {
  const own = socket as PendingSocket
  own.notify ??= async (name, data) => void (await socket.rpc(name, data, {}))
  own.onrestored ??= (callback) => {
    const run = async () => {
      try {
        if (socket.state === 'ready') await callback()
      } catch (error) {
        socket.emit('error', error as never)
      }
    }
    socket.on('connect', run)
    void run()
    return () => void socket.off('connect', run)
  }
  return own
}
