import { badOption, RpcError } from '@token-socket/protocol'
import { reportFailure, type SocketOrServer } from '@token-socket/server'

/** Selects sockets: those of a user, of a session (`req.sessionID`), or one. */
export type Who = { readonly uid: string } | { readonly session: string } | { readonly sid: string }

/** The part of a TokenSocketServer that sources of sign-outs use. */
export interface SignOutSockets {
  readonly cluster: {
    /** Closes sockets on all nodes, and refuses the tokens issued before. */
    revoke(who: Who): Promise<unknown>
    /** Asks clients on all nodes to fetch a new token now. */
    refresh(who: Who): Promise<unknown>
    /** Returns whether any socket is connected, on any node. */
    isConnected(who: { readonly session: string }): Promise<boolean>
  }
}

/** What an event does to sockets. */
export type SignOutOrder = 'revoke' | 'refresh'

/** Receives failures that no caller can catch. */
export type FailureListener = (cause: unknown) => void

/** Selectors in one call of the application's function, or in one token. */
const SELECTORS = 1000

/** @throws RpcError `bad_option` if it is no server */
function checkSockets(sockets: unknown): void {
  const { cluster } = Object(sockets) as { readonly cluster?: Partial<SignOutSockets['cluster']> }
  if (typeof cluster?.revoke !== 'function' || typeof cluster.refresh !== 'function')
    throw badOption('sockets', 'a TokenSocketServer')
}

/**
 * Returns the listener of failures: `onerror`, or else the log and the `error` event of the server.
 * @throws RpcError `bad_option` if the sockets are no server
 */
export function failureListener(
  sockets: SignOutSockets,
  source: string,
  onerror: FailureListener | undefined,
): FailureListener {
  checkSockets(sockets)
  return (cause) => {
    if (!onerror) return reportFailure(serverOf(sockets), cause, { step: source })
    try {
      onerror(cause)
    } catch (failure) {
      reportFailure(serverOf(sockets), failure, { step: source })
    }
  }
}

/**
 * Gives an order for each selector, whichever fails.
 * @throws the first failure, when all are done
 */
export async function orderAll(
  sockets: SignOutSockets,
  order: SignOutOrder,
  selectors: readonly Who[],
): Promise<void> {
  if (selectors.length > SELECTORS)
    throw new RpcError('too_large', `select gave more than ${SELECTORS} selectors`)
  // An order that throws counts as one that rejects.
  const orders = selectors.map(async (who) => sockets.cluster[order](who))
  const failed = (await Promise.allSettled(orders)).find(({ status }) => status === 'rejected')
  if (failed) throw (failed as PromiseRejectedResult).reason
}

/** Returns the result of an application's function as a list. */
export function selectorsOf(selected: Who | readonly Who[] | undefined): readonly Who[] {
  if (selected === undefined || selected === null) return []
  return Array.isArray(selected) ? selected : [selected as Who]
}

/** Returns the server itself. Any other object has neither a log nor an engine. */
export function serverOf(sockets: SignOutSockets): SocketOrServer {
  return sockets as unknown as SocketOrServer
}
