import { forCaller, RpcError } from '@token-socket/protocol'
import { callIsolated, isThenable } from '../runtime/isolated.js'
import type { Listener } from '../runtime/listeners.js'

/** What listeners of `connected` decide, and what they throw. */
export interface ConnectedOutcome {
  /** A listener refuses the socket. */
  refused(error: RpcError): void
  /** A listener threw something that refuses nothing. */
  failed(cause: unknown): void
}

/**
 * Calls the listeners of `connected`. A listener refuses with `false`, or with an RpcError of its
 * own, directly or by its promise. Other results are ignored. The failure of a call that a listener
 * made refuses nothing.
 */
export function askConnected(
  listeners: readonly Listener[],
  socket: unknown,
  { refused, failed }: ConnectedOutcome,
): void {
  const judge = (answer: unknown) => {
    if (answer === false) refused(new RpcError('forbidden'))
  }
  const threw = (cause: unknown) => {
    if (RpcError.is(cause) && forCaller(cause) === cause) refused(cause)
    else failed(cause)
  }
  for (const listener of listeners)
    callIsolated(() => {
      const answer = listener(socket)
      if (!isThenable(answer)) return judge(answer)
      return answer.then(judge)
    }, threw)
}
