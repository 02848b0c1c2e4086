import { RemoteClient } from '../remote-client.js'

/**
 * Reports a failure for a socket where no caller can catch it, as the server does with its own: to the log, and to the `error`
 * event. For libraries that are built on the server. Never throws; does nothing for what is no socket of a server.
 * @param details what failed, such as `{ function: 'orders.pay' }`; the socket's `sid` is added
 */
export function reportFailure(socket: RemoteClient, cause: unknown, details: object): void {
  if (socket instanceof RemoteClient) RemoteClient.report(socket, cause, details)
}
