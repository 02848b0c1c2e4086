import { promised } from '../runtime/own-calls.js'
import { AuthorizedSocket } from './authorized-socket.js'
import { type DirectParts, sendDirect } from './direct-messages.js'
import type { Identity } from './identity.js'
import type { OpeningRequest } from './opening-request.js'
import type { SendOptions } from './send-options.js'

/** What is known of a connection, apart from who its user is. */
export interface ConnectionMeta {
  /** When its token, or its request, was taken, before listeners decide: ms since 1970. */
  readonly connectedAt: number
  /**
   * Parameters of the query of the request that said who the client is, by name: those that the
   * option `connectionQuery` names. @default none of them came
   */
  readonly queryStringParams: Readonly<Record<string, string>> | undefined
  /**
   * Headers of the same request, by their names in lower case: those that the option
   * `connectionHeaders` names.
   */
  readonly headers: Readonly<Record<string, string>>
  /** The address of the same request, as Express sees it (`trust proxy`). */
  readonly ip: string | undefined
  /** What carries the connection: `websocket`, `xhr-streaming`, … */
  readonly transport: string
}

/** What a {@link ConnectedSocket} sends with, and what receives mistakes of the application's. */
export interface ConnectionParts extends DirectParts {
  failed(cause: unknown, details: object): void
}

/** A socket as a connection with an id, which the application sends messages to and closes. */
export abstract class ConnectedSocket extends AuthorizedSocket {
  /** The socket's id, unique over all nodes. */
  readonly sid: string
  /** The address that the token request came from, as Express sees it (`trust proxy`). */
  readonly ip: string | undefined
  /** When it was authenticated, in milliseconds since 1970. */
  readonly created = Date.now()
  readonly #opening: OpeningRequest | undefined

  constructor(identity: Identity) {
    super(identity)
    this.sid = identity.sid
    this.ip = identity.ip
    this.#opening = identity.opening
  }

  /** What carries the connection: `websocket`, `xhr-streaming`, … */
  abstract get transport(): string

  /** Whether it is let in and its connection lives. @internal */
  abstract get isOpen(): boolean

  /** @internal */
  protected abstract get connectionParts(): ConnectionParts

  /** Closes the connection; see `ServerSocket`. */
  abstract end(options?: { readonly reconnect?: boolean | undefined }): void

  /** The id of the connection, unique over all nodes: its {@link sid}. */
  get connectionId(): string {
    return this.sid
  }

  /** What is known of the connection. */
  get meta(): ConnectionMeta {
    const { created: connectedAt, ip, transport } = this
    const { query: queryStringParams, headers = {} } = this.#opening ?? {}
    return { connectedAt, queryStringParams, headers, ip, transport }
  }

  /** Whether it is let in and has not ended. */
  isConnected(): boolean {
    return this.isOpen
  }

  /**
   * Sends a message to the client, which belongs to no channel and no call: its event `direct`.
   * Messages leave in order with everything else that is sent to it.
   * @param data anything that JSON can carry
   * @returns a promise that resolves with `true` when the option `ack` is met; with `false` if the
   *   connection has ended before, and `throwIfNotConnected` is `false`
   * @throws RpcError `not_connected` (an {@link InvalidConnectionError}) if it was not sent;
   *   `connection_lost` if the connection ended, and `timeout` if the time was over, before it was
   *   known whether it arrived; `unserializable`; `unsupported` by clients that take no such
   *   messages; `too_many_calls`; `bad_option`
   */
  send(data: unknown, options?: SendOptions): Promise<boolean> {
    const parts = this.connectionParts
    const failed = (cause: unknown, details: object) => parts.failed(cause, { ...details, sid: this.sid })
    return promised('socket.send', () => sendDirect(parts, data, options), failed)
  }

  /**
   * Closes the connection, as `end` does.
   * @param options.reconnect `false` tells the client to stay away; otherwise it comes back.
   *   @default true
   * @throws RpcError `bad_option`
   */
  async close(options?: { readonly reconnect?: boolean | undefined }): Promise<void> {
    this.end(options)
  }
}
