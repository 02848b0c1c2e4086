import { eventLoop } from './event-loop.js'

/** Milliseconds of work in one turn of the event loop. */
const WORK = 4

/** Items after which the clock is read. */
const ITEMS = 16

/**
 * Calls a function for each item, in order, with a share of the items in each turn of the event
 * loop, so that many items do not block it. The first share runs at once, before the promise is
 * returned.
 * @param run its error rejects the promise, and the other items are skipped
 */
export async function inShares<Item>(items: Iterable<Item>, run: (item: Item) => void): Promise<void> {
  let begun = performance.now()
  let count = 0
  for (const item of items) {
    count += 1
    if (count % ITEMS === 0 && performance.now() - begun >= WORK) {
      await new Promise((resolve) => eventLoop.setImmediate(resolve))
      begun = performance.now()
    }
    run(item)
  }
}
