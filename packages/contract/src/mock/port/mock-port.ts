import type { ServerController, SocketAuth, TokenSocketServer } from '@token-socket/server'

/** Where a mock server listens. */
export interface ListenOptions {
  /** @default any free one */
  readonly port?: number | undefined
  /** The address. Every client that reaches it may sign in. @default '127.0.0.1' */
  readonly host?: string | undefined
  /**
   * What handlers get as `auth`: an object, the same for all clients. Its `uid` and `umd` are who a
   * client is to others on a channel. @default a `uid` of its own, and a `umd` made from the
   * presence of the contract's channels
   */
  readonly auth?: SocketAuth | undefined
}

/** A mock server that listens. */
export interface MockPort {
  /** For `connect` and `TokenSocket`: `http://127.0.0.1:` and the port. */
  readonly url: string
  readonly port: number
  readonly server: TokenSocketServer
  /** Closes all sockets and stops listening. */
  close(): Promise<void>
}

/** What a port serves. */
export interface ServedMock extends ListenOptions {
  readonly socketController: ServerController
  /** The patterns of the contract's channels that have presence. */
  readonly presence: readonly string[]
  /** What others see of a user (`umd`), where `auth` does not say it. */
  umdOf(uid: string): unknown
  /** A handler threw. */
  failed(cause: unknown): void
}
