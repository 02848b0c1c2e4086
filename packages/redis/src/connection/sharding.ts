import type { RedisHandle } from './redis-handle.js'

/** The clients that were asked, all of which belong to a cluster. */
const asked = new WeakSet<RedisHandle>()

const sharded = new WeakSet<RedisHandle>()

/**
 * Asks a Redis of a cluster whether it has sharded pub/sub, which exists since version 7.
 * Publishers and subscribers ask the same Redis, the channel's primary, so that they get the same
 * answer.
 */
export async function askSharding(client: RedisHandle): Promise<void> {
  const [info] = (await client.sendCommand(['COMMAND', 'INFO', 'SPUBLISH'])) as unknown[]
  asked.add(client)
  if (info) sharded.add(client)
}

/** Marks a client that stands for another one as asked, too. */
export function likeAsked(made: RedisHandle, other: RedisHandle): RedisHandle {
  for (const known of [asked, sharded]) if (known.has(other)) known.add(made)
  return made
}

/**
 * Returns whether messages use sharded Redis channels. Only the Redis with their slot knows those.
 */
export function isSharded(client: RedisHandle): boolean {
  return sharded.has(client)
}

/**
 * Returns whether it counts all subscribers of a message. In a cluster without sharded pub/sub,
 * each Redis counts its own.
 */
export function countsAll(client: RedisHandle): boolean {
  return isSharded(client) || !asked.has(client)
}
