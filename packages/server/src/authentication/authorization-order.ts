import { NAME_LIMITS } from '@token-socket/protocol'

/** Selects the sockets and tokens of an order. */
export type OrderTarget =
  | { readonly sid: string }
  | { readonly uid: string }
  /** The hash of a session's id. */
  | { readonly session: string }
  /** The id of a token, or of a ticket. */
  | { readonly jti: string }
  /** The moment before which it was issued: milliseconds since 1970. */
  | { readonly issuedBefore: number }

/** Milliseconds that the clocks of nodes may differ by, including the delivery time of orders. */
export const CLOCK_SLACK = 10_000

/** An order that every node applies to its own sockets, once. */
export interface AuthorizationOrder {
  /** The order's id, unique over all nodes. */
  readonly id: string
  /**
   * `revoke` closes sockets, and refuses tokens issued before; `reauthorize` gives sockets `auth`;
   * `refresh` asks for new tokens.
   */
  readonly type: 'revoke' | 'reauthorize' | 'refresh'
  readonly who: OrderTarget
  /** What `authentication` could have returned. Only for `reauthorize`. */
  readonly auth?: unknown
  /** When the order was given: milliseconds since 1970, by the clock of the node that gave it. */
  readonly at: number
  /**
   * Whether the log had lost it, and a node wrote it again: it skips sockets that signed in after
   * it.
   * @default false
   */
  readonly again?: boolean
  /**
   * `false` if there are too many orders: the nodes that receive it apply it, but it is not kept.
   * @default true
   */
  readonly isKept?: boolean
}

/** What is known about a token, or about the socket that it opened. */
export interface TokenSubject {
  readonly uid?: string | undefined
  /** The hash of its session. */
  readonly session?: string | undefined
  readonly jti?: string | undefined
  /** When it was issued, in milliseconds since 1970. @default before every order */
  readonly issuedAt?: number | undefined
}

/** The channel of the log. Its name is too long for clients, applications and publishers to use. */
export const LOG_CHANNEL = 'token-socket-authorization-log'.padEnd(NAME_LIMITS.channel + 1, '.')

const TYPES: readonly unknown[] = ['revoke', 'reauthorize', 'refresh']

/**
 * Reads an order of the log, or of another node.
 * @returns `undefined` for anything but an order of this version
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
