import { RpcError } from '@token-socket/protocol'

/** What a promise gives, or a rejection with `timeout` if that takes longer. @param ms milliseconds */
export function withinTime<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new RpcError('timeout')), ms)
    timer.unref()
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
