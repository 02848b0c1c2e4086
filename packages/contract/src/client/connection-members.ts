import type { ConnectionState, StateDetails, TokenSocket } from '@token-socket/client'
import { isPassing, MAX_TIMEOUT, markHandled, RpcError, startTimeout } from '@token-socket/protocol'
import { checkListener } from './argument-checks.js'

/** Options of `$connect`. */
export interface ConnectWait {
  /** Milliseconds; 0 is no limit. @default 0 */
  readonly timeout?: number | undefined
}

/**
 * The members of a client for its connection.
 * @param fail receives errors that reject no promise
 */
export function connectionMembers(socket: TokenSocket, fail: (error: RpcError) => void) {
  let last: string | undefined
  socket.on('reconnect', (error) => {
    if (isRefused(error) && error.code !== last) fail(error)
    last = error?.code
  })
  return {
    $socket: socket,
    $withReconnect: (callback: () => unknown) => socket.onrestored(callback),
    $onError(listener: (error: RpcError) => unknown) {
      checkListener(listener)
      const own = (error: RpcError) => void listener(error)
      socket.on('error', own)
      return () => void socket.off('error', own)
    },
    $connect({ timeout = 0 }: ConnectWait = {}) {
      // Connects now, because the next attempt would be later.
      if (socket.state === 'waiting') socket.suspend()
      socket.resume()
      return markHandled(whenReady(socket, timeout))
    },
    async $disconnect() {
      socket.suspend()
    },
  }
}

/** Returns whether the server refuses the sign-in: the next attempt may be refused too. */
function isRefused(error: RpcError | undefined): error is RpcError {
  return !!error && !isPassing(error.code)
}

/**
 * Resolves when a socket is ready. Rejects when the server refuses it, when it can never be ready,
 * or when it is suspended.
 */
function whenReady(socket: TokenSocket, timeout: number): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const look = (state: ConnectionState, { error }: Partial<StateDetails> = {}) => {
      if (state === 'connecting' || (state === 'waiting' && !isRefused(error))) return
      stop()
      if (state === 'ready') resolve()
      else reject(error ?? new RpcError('ended'))
    }
    const expire = () => {
      stop()
      reject(new RpcError('timeout', undefined, undefined, socket.status.error))
    }
    const stopTimer = startTimeout(timeout || MAX_TIMEOUT, expire)
    const stop = () => {
      stopTimer()
      socket.off('state', look)
    }
    socket.on('state', look)
    look(socket.state)
  })
}
