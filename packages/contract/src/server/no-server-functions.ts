/** A page has no server, but a mock of one, whose sockets are not those of a server. */

/** The default of `limits.callTimeout`, in milliseconds. */
export function callTimeoutOf(_subject: unknown): number {
  return 30_000
}

/** Does nothing. */
export function reportFailure(_subject: unknown, _cause: unknown, _details: object): void {}

/** None has a `sid` that another node could know. */
export function localSocket(_server: unknown, _sid: string): undefined {}

/** Does nothing. */
export function checkPresence(_server: unknown, _pattern: string, _channels: readonly string[]): void {}
