/** A process that publishes on an lmdb engine until it is killed, and says on its output what was acknowledged. */
import { writeSync } from 'node:fs'
import { LmdbEngine } from '@token-socket/lmdb'

const [path = '', first = '0'] = process.argv.slice(2)
const { broker } = new LmdbEngine({ path })
const retention = { size: 1_000_000, ttl: 3_600_000 }

/** Ten side by side, one after the other each. */
async function publish(channel: string): Promise<never> {
  for (let number = Number(first); ; number += 1) {
    const { id, offset } = await broker.publish({ channel, json: String(number) }, { retention })
    writeSync(1, `${channel} ${number} ${offset} ${id}\n`)
  }
}

for (let index = 0; index < 10; index += 1) void publish(`channel-${index % 3}`)
