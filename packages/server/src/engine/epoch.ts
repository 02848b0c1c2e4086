/**
 * Epochs of channels: which store it is, and when the channel began to be counted. A channel that keeps nothing yet has one
 * of this moment. So a client that was there when nothing was kept gets all that was published since, though the engine
 * notes nothing about channels that were never published on.
 */

/** Milliseconds for which engines keep a channel's position after the last publication of all is gone. */
export const POSITION_TTL = 24 * 60 * 60 * 1000

/** Milliseconds that clocks may differ by. */
const SKEW = 60 * 60 * 1000

/**
 * The epoch of a channel that begins to be counted now.
 * @param store names the store, and is another when that was lost
 * @param now milliseconds since 1970
 */
export function newEpoch(store: string, now = Date.now()): string {
  return `${store}.${now.toString(36)}`
}

/**
 * Whether nothing was kept between the two: a client saw the channel empty in the first, and it was counted from the
 * second on. One that was counted in between would still be there.
 */
export function isNext(empty: string, epoch: string): boolean {
  const [store, time] = parts(empty)
  const [other, begun] = parts(epoch)
  return store === other && Math.abs(begun - time) < POSITION_TTL - SKEW
}

/**
 * Whether a page said that a channel was empty before it was counted from `epoch` on. Of a lost
 * store, whose channels begin again, a page says so later.
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
