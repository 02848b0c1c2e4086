import type { Authorization, AuthorizationSource } from '../claims/authorization.js'

/** A socket whose client brings a new token. */
export interface RefreshedSocket {
  readonly sid: string
  readonly uid: string | undefined
  readonly authorization: Authorization
  /** Whether it is let in and its connection lives. */
  readonly isOpen: boolean
  /**
   * Puts another authorization in the place of its own.
   * @throws RpcError `identity_changed`
   */
  changeAuthorization(source: AuthorizationSource): Promise<void>
}

/** A refresh under way. */
export interface PendingRefresh {
  readonly token: string
  /** It was answered, with `timeout`: it changes nothing any longer. */
  readonly isAnswered: boolean
}
