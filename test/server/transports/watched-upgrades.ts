/** Whether the requests of upgrades are given back to the garbage collector. */
import type { Server } from 'node:http'
import { collectGarbage } from '../../garbage.js'

/** Watches the requests of a server's upgrades from now on, without keeping them. */
export function watchUpgrades(http: Server): WeakRef<object>[] {
  const emit = http.emit.bind(http) as (...args: unknown[]) => boolean
  const requests: WeakRef<object>[] = []
  http.emit = ((event: string, ...args: unknown[]) => {
    if (event === 'upgrade') requests.push(new WeakRef(args[0] as object))
    return emit(event, ...args)
  }) as typeof http.emit
  return requests
}

/** Collects garbage in a few turns of the event loop. @returns how many requests are still there */
export async function keptAfterCollection(requests: readonly WeakRef<object>[]): Promise<number> {
  const kept = () => requests.filter((request) => request.deref() !== undefined).length
  for (let at = 0; at < 5 && kept() > 0; at += 1) {
    await new Promise(setImmediate)
    collectGarbage()
  }
  return kept()
}
