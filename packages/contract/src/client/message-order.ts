import { markHandled } from '@token-socket/protocol'

/** Goes on with a value in the order of the calls: at once, unless it, or one before it, is a promise that has not settled. */
export type MessageOrder = <T, R>(value: T | Promise<T>, go: (value: T) => R) => R | Promise<R>

/** Keeps the order of messages whose schemas are asynchronous. */
export function createOrder(): MessageOrder {
  let last: Promise<unknown> | undefined
  return (value, go) => {
    if (!last && !(value instanceof Promise)) return go(value)
    const before = last
    const turn = async () => {
      await before
      return go(await value)
    }
    if (value instanceof Promise) markHandled(value)
    const result = markHandled(turn())
    const over = result.then(forget, forget)
    last = over
    function forget(): void {
      if (last === over) last = undefined
    }
    return result
  }
}
