import { limitError, markHandled } from '@token-socket/protocol'

/**
 * Goes on with a value in the order of the calls: at once, unless it, or one before it, is a
 * promise that has not settled. What `go` promises holds up nothing.
 *
 * @param bound gives the waiting up by a rejection: `go` is then not called. @default never
 * @throws RpcError `queue_full`
 */
export type MessageOrder = <T, R>(
  value: T | Promise<T>,
  go: (value: T) => R,
  bound?: <W>(work: Promise<W>) => Promise<W>,
) => R | Promise<Awaited<R>>

/**
 * Keeps the order of messages whose schemas are asynchronous.
 *
 * @param limit how many may wait, the option `queueSize`. @default any number
 */
export function createOrder(limit = Number.POSITIVE_INFINITY): MessageOrder {
  let last: Promise<unknown> | undefined
  let waiting = 0
  return (value, go, bound = same) => {
    if (!last && !(value instanceof Promise)) return go(value)
    const ready = markHandled(Promise.all([value, last]))
    if (waiting >= limit) throw limitError('queue_full', { field: 'queueSize', limit })
    waiting += 1
    const turn = bound(ready).then(([own]) => [go(own)] as const)
    const settled = () => {
      waiting -= 1
    }
    turn.then(settled, settled)
    // Later values wait for earlier ones, also if this one was given up.
    const over = Promise.allSettled([last, turn]).then(() => {
      if (last === over) last = undefined
    })
    last = over
    return turn.then(([result]) => result) as Promise<Awaited<ReturnType<typeof go>>>
  }
}

/** Returns its argument. */
export function same<T>(value: T): T {
  return value
}
