import type { AuthenticationData, TokenSocketOptions } from '@token-socket/client'

/** Options of a client of a contract, about the contract. */
export interface TypedOptions {
  /**
   * Whether sent values are checked, too: a wrong input then fails with `invalid_input` before it
   * is sent. The value itself is sent, without the transforms of its schema.
   * @default outside production
   */
  readonly checkSent?: boolean | undefined
  /**
   * Milliseconds that an asynchronous schema may take, and a call whose options name no
   * `timeout`; 0 for any time.
   * @default that of the socket, which is 30000
   */
  readonly callTimeout?: number | undefined
}

/** Returns the URL of a connection, from the one without credentials. */
export type ConnectionUrl = (request: {
  readonly url: string
}) => { readonly url: string } | Promise<{ readonly url: string }>

/** How a client signs in. */
export type ContractAuthentication =
  | 'none'
  | {
      /**
       * Asks the token route, which knows the session. An object, or a function that gives one,
       * goes with the request.
       */
      readonly session: true | AuthenticationData | (() => AuthenticationData | Promise<AuthenticationData>)
    }
  | {
      /** A token that the application's own back end signed; see the socket's `token`. */
      readonly token: NonNullable<TokenSocketOptions['token']>
    }
  | {
      /** Adds credentials to the URL of each connection. WebSocket only. */
      readonly custom: ConnectionUrl
    }

/** The fields of all ways to sign in. */
export interface SignInFields {
  readonly session?: true | AuthenticationData
  readonly token?: TokenSocketOptions['token']
  readonly custom?: ConnectionUrl
}

/** The options of `connect`: those of a TokenSocket that are not about being ready, and these. */
export interface ConnectOptions
  extends TypedOptions,
    Omit<
      TokenSocketOptions,
      'authentication' | 'token' | 'url' | 'callTimeout' | 'lazy' | 'ready' | 'onreconnect'
    > {
  /**
   * The server, as in `wss://example.com:8443`; or with a path in place of `socketPrefix`. Without
   * query, fragment and credentials. @default `host`
   */
  readonly url?: string | undefined
  /**
   * `'none'`; `{ session: true }`, the token route; `{ token }`; or `{ custom }`. For `'none'` and
   * `custom` the server has to have `connectAuthentication`. @default { session: true }
   */
  readonly authentication?: ContractAuthentication | undefined
  /** Milliseconds that `connect` waits for the socket to be ready; 0 for any time. @default 0 */
  readonly timeout?: number | undefined
}
