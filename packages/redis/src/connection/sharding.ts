import type { RedisHandle } from './redis-handle.js'

/** Those that were asked, and so are of a cluster. */
const asked = new WeakSet<RedisHandle>()

const sharded = new WeakSet<RedisHandle>()

/**
 * Asks a Redis of a cluster whether it has sharded pub/sub, as it has since version 7. Who publishes and who hears ask the
 * same one, the primary that has the channel, so they come to the same answer.
 */
export async function askSharding(client: RedisHandle): Promise<void> {
  const [info] = (await client.sendCommand(['COMMAND', 'INFO', 'SPUBLISH'])) as unknown[]
  asked.add(client)
  if (info) sharded.add(client)
}

/** Lets one that stands for another be known for the same. */
export function likeAsked(made: RedisHandle, other: RedisHandle): RedisHandle {
  for (const known of [asked, sharded]) if (known.has(other)) known.add(made)
  return made
}

/** Whether messages go through sharded Redis channels. Those are known to the Redis alone that has their slot. */
export function isSharded(client: RedisHandle): boolean {
  return sharded.has(client)
}

/** Whether it counts all who hear a message: in a cluster without sharded pub/sub, each Redis counts its own. */
export function countsAll(client: RedisHandle): boolean {
  return isSharded(client) || !asked.has(client)
}
