import { type Capability, limitError, type RpcPeer, type ServerMessage } from '@token-socket/protocol'
import type { Development } from '../development/development.js'
import { InvalidConnectionError } from './invalid-connection-error.js'
import type { Outbox } from './outbox.js'
import { checkSendOptions, type SendOptions } from './send-options.js'

/** Sends messages to one client. */
export interface DirectParts {
  readonly socket: {
    readonly isClosed: boolean
    readonly capabilities: readonly Capability[]
    sendMessage(message: ServerMessage): void
  }
  readonly peer: RpcPeer
  readonly outbox: Pick<Outbox, 'whenWritten'>
  /** Checks of development servers. @default none */
  readonly development?: Pick<Development, 'checkData'> | undefined
}

/**
 * Sends a message that belongs to no channel and no call.
 * @returns whether there was a connection to send it on; see {@link SendAck} for when
 * @throws RpcError see {@link ConnectedSocket.send}
 */
export async function sendDirect(
  { socket, peer, outbox, development }: DirectParts,
  data: unknown,
  options: SendOptions = {},
): Promise<boolean> {
  checkSendOptions(options)
  const { ack = 'written', timeout, throwIfNotConnected = true } = options
  if (socket.isClosed) {
    if (throwIfNotConnected) throw new InvalidConnectionError()
    return false
  }
  if (!socket.capabilities.includes('direct')) throw limitError('unsupported', { field: 'direct' })
  development?.checkData('message', '', data)
  if (ack === 'node') {
    socket.sendMessage({ type: 'direct', data })
    return true
  }
  const send = (id: string) => {
    socket.sendMessage(ack === 'client' ? { type: 'direct', id, data } : { type: 'direct', data })
    if (ack === 'written') outbox.whenWritten(() => peer.settle(id, { data: undefined }))
  }
  await peer.request(send, timeout === undefined ? undefined : { timeout })
  return true
}
