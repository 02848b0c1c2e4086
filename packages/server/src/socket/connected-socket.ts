import { promised } from '../runtime/own-calls.js'
import { AuthorizedSocket } from './authorized-socket.js'
import { type DirectParts, sendDirect } from './direct-messages.js'
import type { Identity } from './identity.js'
import type { OpeningRequest } from './opening-request.js'
import type { SendOptions } from './send-options.js'

/** Data about a connection, apart from its user. */
export interface ConnectionMeta {
  /** When the server accepted its token or its request, before listeners decide: ms since 1970. */
  readonly connectedAt: number
  /**
   * Query parameters of the request that identified the client. The option `connectionQuery` names
   * them.
   * @default `undefined`, if the request had none of them
   */
  readonly queryStringParams: Readonly<Record<string, string>> | undefined
  /**
   * Headers of the same request, with names in lower case. The option `connectionHeaders` names
   * them.
   */
  readonly headers: Readonly<Record<string, string>>
  /** The address of the same request, as Express sees it (`trust proxy`). */
  readonly ip: string | undefined
  /** The transport that carries the connection: `websocket`, `xhr-streaming`, … */
  readonly transport: string
}

/** What a {@link ConnectedSocket} sends with, and what receives misuse by the application. */
export interface ConnectionParts extends DirectParts {
  failed(cause: unknown, details: object): void
}

/** A socket as a connection with an id. The application sends messages to it, and closes it. */
export abstract class ConnectedSocket extends AuthorizedSocket {
  /** The socket's id, unique over all nodes. */
  readonly sid: string
  /** The address that the token request came from, as Express sees it (`trust proxy`). */
  readonly ip: string | undefined
  /** The host name of the token request. */
  readonly host: string | undefined
  /** When it was authenticated, in milliseconds since 1970. */
  readonly created = Date.now()
  readonly #ips: readonly string[] | undefined
  readonly #opening: OpeningRequest | undefined

  /** @internal */
  constructor(identity: Identity) {
    super(identity)
    this.sid = identity.sid
    this.ip = identity.ip
    this.host = identity.host
    this.#ips = identity.ips.length > 0 ? identity.ips : undefined
    this.#opening = identity.opening
  }

  /** The addresses that proxies named in the token request. */
  get ips(): readonly string[] {
    return this.#ips ?? []
  }

  /** The transport that carries the connection: `websocket`, `xhr-streaming`, … */
  abstract get transport(): string

  /** Whether it is authenticated and its connection is open. @internal */
  abstract get isOpen(): boolean

  /** @internal */
  protected abstract get connectionParts(): ConnectionParts

  /** Closes the connection; see `ServerSocket`. */
  abstract end(options?: { readonly reconnect?: boolean | undefined }): void

  /** The id of the connection, unique over all nodes: its {@link sid}. */
  get connectionId(): string {
    return this.sid
  }

  /** Data about the connection. */
  get meta(): ConnectionMeta {
    const { created: connectedAt, ip, transport } = this
    const { query: queryStringParams, headers = {} } = this.#opening ?? {}
    return { connectedAt, queryStringParams, headers, ip, transport }
  }

  /** Returns whether it is authenticated and has not ended. */
  isConnected(): boolean {
    return this.isOpen
  }

  /**
   * Sends a message that belongs to no channel and no call. The client receives it as the event
   * `direct`, in order with everything else.
   * @param data anything that JSON can carry
   * @returns a promise that resolves with `true` when the option `ack` is met; with `false` if the
   *   connection has ended before, and `throwIfNotConnected` is `false`
   * @throws RpcError `not_connected` (an {@link InvalidConnectionError}) if it was not sent
   * @throws RpcError `connection_lost` or `timeout` if it is not known whether it arrived
   * @throws RpcError `unserializable`; `unsupported` by clients that take no such messages;
   *   `too_many_calls`; `bad_option`
   */
  send(data: unknown, options?: SendOptions): Promise<boolean> {
    const parts = this.connectionParts
    const failed = (cause: unknown, details: object) => parts.failed(cause, { ...details, sid: this.sid })
    return promised('socket.send', () => sendDirect(parts, data, options), failed)
  }

  /**
   * Closes the connection, as `end` does.
   * @param options.reconnect `false` tells the client not to reconnect. @default true
   * @throws RpcError `bad_option`
   */
  async close(options?: { readonly reconnect?: boolean | undefined }): Promise<void> {
    this.end(options)
  }
}
