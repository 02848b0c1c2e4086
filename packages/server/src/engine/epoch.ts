/**
 * Epochs of channels. An epoch says which store it is, and when the channel's count began. A channel
 * without a count has an epoch of the present time, so engines store nothing for it. A client that
 * subscribed while the channel was empty still gets everything that was published since.
 */

/** Milliseconds for which engines keep a channel's position after its last publication expired. */
export const POSITION_TTL = 24 * 60 * 60 * 1000

/** Milliseconds by which clocks may differ. */
const SKEW = 60 * 60 * 1000

/**
 * The epoch of a channel whose count begins now: `<store>.<time in base 36>`.
 * @param store names the store: at most 50 characters, another one after the store was lost
 * @param now milliseconds since 1970. @default this machine's clock
 */
export function newEpoch(store: string, now = Date.now()): string {
  return `${store}.${now.toString(36)}`
}

/**
 * Whether an engine kept nothing between two epochs of a channel. The channel was empty in the
 * first one, and its count began in the second one. A count that began in between would still be
 * known.
 */
export function isNext(empty: string, epoch: string): boolean {
  const [store, time] = parts(empty)
  const [other, begun] = parts(epoch)
  return store === other && Math.abs(begun - time) < POSITION_TTL - SKEW
}

/**
 * Whether an engine reported the channel as empty before the count of `epoch` began. After a store
 * was lost, its channels begin again, and such a report is a later one.
 */
export function isEarlier(empty: string, epoch: string): boolean {
  const [store, time] = parts(empty)
  const [other, begun] = parts(epoch)
  return store === other && time <= begun
}

function parts(epoch: string): readonly [store: string, time: number] {
  const at = epoch.lastIndexOf('.')
  return [epoch.slice(0, at), Number.parseInt(epoch.slice(at + 1), 36)]
}
