import type { RemoteClient } from '@token-socket/server'

/** Does nothing: a page has no server, but a mock of one, whose sockets are not those of a server. */
export function reportFailure(_socket: RemoteClient, _cause: unknown, _details: object): void {}
