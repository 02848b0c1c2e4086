import { NAME_LIMITS } from '@token-socket/protocol'

/** Whose sockets, and which tokens, an order is about. */
export type OrderTarget =
  | { readonly sid: string }
  | { readonly uid: string }
  /** The hash of a session's id. */
  | { readonly session: string }
  /** The id of a token, or of a ticket. */
  | { readonly jti: string }
  /** What was issued before this moment: milliseconds since 1970. */
  | { readonly issuedBefore: number }

/** Milliseconds that the clocks of nodes may differ by, with the time that orders take on their way. */
export const CLOCK_SLACK = 10_000

/** What every node does to the sockets of its own, once. */
export interface AuthorizationOrder {
  /** Names it, over all nodes. */
  readonly id: string
  /**
   * `revoke` closes them, and refuses tokens of before; `reauthorize` gives them `auth`; `refresh`
   * asks for new tokens.
   */
  readonly type: 'revoke' | 'reauthorize' | 'refresh'
  readonly who: OrderTarget
  /** What `authentication` could have returned; of a `reauthorize` only. */
  readonly auth?: unknown
  /** When it was given: milliseconds since 1970, by the clock of the node that gave it. */
  readonly at: number
  /**
   * It was lost from the log, and is there again: sockets of after it are not meant.
   * @default false
   */
  readonly again?: boolean
  /**
   * `false`: there are too many. It is done by the nodes that receive it, and not kept.
   * @default true
   */
  readonly isKept?: boolean
}

/** What is known of a token, or of the socket that it opened. */
export interface TokenSubject {
  readonly uid?: string | undefined
  /** The hash of its session. */
  readonly session?: string | undefined
  readonly jti?: string | undefined
  /** When it was issued, in milliseconds since 1970. @default before anything else */
  readonly issuedAt?: number | undefined
}

/**
 * The channel of the log. Its name is longer than a name may be, so that neither a client, nor the
 * application, nor a publisher can name it.
 */
export const LOG_CHANNEL = 'token-socket-authorization-log'.padEnd(NAME_LIMITS.channel + 1, '.')

const TYPES: readonly unknown[] = ['revoke', 'reauthorize', 'refresh']

/**
 * Reads an order of the log, or of another node.
 * @returns `undefined` for what is none of this version
 */
export function readOrder(value: unknown): AuthorizationOrder | undefined {
  const order = Object(value) as Partial<AuthorizationOrder>
  const isOrder =
    typeof order.id === 'string' &&
    TYPES.includes(order.type) &&
    Number.isFinite(order.at) &&
    isTarget(order.who)
  return isOrder ? (order as AuthorizationOrder) : undefined
}

function isTarget(who: unknown): boolean {
  const [[name, value] = [], ...others] = Object.entries(Object(who))
  if (name === undefined || others.length > 0) return false
  if (name === 'issuedBefore') return Number.isFinite(value)
  return ['sid', 'uid', 'session', 'jti'].includes(name) && typeof value === 'string'
}
