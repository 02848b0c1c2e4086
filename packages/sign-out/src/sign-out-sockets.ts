import { badOption, RpcError } from '@token-socket/protocol'
import { reportFailure, type SocketOrServer } from '@token-socket/server'

/** Whose sockets are meant: those of a user, of a session (`req.sessionID`), or one. */
export type Who = { readonly uid: string } | { readonly session: string } | { readonly sid: string }

/** What a source of sign-outs uses of a TokenSocketServer. */
export interface SignOutSockets {
  readonly cluster: {
    /** Closes sockets on all nodes, and refuses what would let them in again. */
    revoke(who: Who): Promise<unknown>
    /** Tells clients on all nodes to fetch a new token now. */
    refresh(who: Who): Promise<unknown>
    /** Whether any socket is connected, on whichever node. */
    isConnected(who: { readonly session: string }): Promise<boolean>
  }
}

/** What an event does to sockets. */
export type SignOutOrder = 'revoke' | 'refresh'

/** Receives failures of a source that no caller can catch. */
export type FailureListener = (cause: unknown) => void

/** Sockets that one application's call, or one token, may name. */
const SELECTORS = 1000

/** @throws RpcError `bad_option` if it is no server */
function checkSockets(sockets: unknown): void {
  const { cluster } = Object(sockets) as { readonly cluster?: Partial<SignOutSockets['cluster']> }
  if (typeof cluster?.revoke !== 'function' || typeof cluster.refresh !== 'function')
    throw badOption('sockets', 'a TokenSocketServer')
}

/**
 * Makes what reports failures: to `onerror`, else to the log and the `error` event of the server.
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
 * Gives an order for each selector, all of them whichever fails.
 * @throws the first failure, when all are done
 */
export async function orderAll(
  sockets: SignOutSockets,
  order: SignOutOrder,
  selectors: readonly Who[],
): Promise<void> {
  if (selectors.length > SELECTORS)
    throw new RpcError('too_large', `select gave more than ${SELECTORS} selectors`)
  // A method that throws at once counts as one that rejects.
  const orders = selectors.map(async (who) => sockets.cluster[order](who))
  const failed = (await Promise.allSettled(orders)).find(({ status }) => status === 'rejected')
  if (failed) throw (failed as PromiseRejectedResult).reason
}

/** What an application's function selected, as a list. */
export function selectorsOf(selected: Who | readonly Who[] | undefined): readonly Who[] {
  if (selected === undefined || selected === null) return []
  return Array.isArray(selected) ? selected : [selected as Who]
}

/** The server itself. What is none has neither a log nor an engine. */
export function serverOf(sockets: SignOutSockets): SocketOrServer {
  return sockets as unknown as SocketOrServer
}
