/** A Redis that has the commands of version 6.2 alone, and of these none that looks at all its keys. */
import { expect } from 'chai'
import { exercise } from './exercise.js'
import { RedisNode } from './redis-node.js'
import { RedisProcess } from './redis-process.js'

/** They cost Redis, and all who wait for it, the more the more keys there are. */
const SCANS = ['KEYS', 'SCAN']

describe('RedisEngine, with the commands of Redis 6.2, but those that look at all keys', () => {
  let redis: RedisProcess

  before(async () => {
    const without = [...SCANS, ...(await newerCommands())].flatMap((name) => ['--rename-command', name, ''])
    redis = await RedisProcess.start(...without)
  })

  after(() => redis.stop())

  it('does all that engines do', async () => {
    const admin = await redis.admin()
    for (const name of ['SPUBLISH', ...SCANS])
      expect(await admin.sendCommand(['COMMAND', 'INFO', name]), name).to.deep.equal([null])
    const [one, two] = [await RedisNode.start({ url: redis.url }), await RedisNode.start({ url: redis.url })]
    await exercise(one.engine, two.engine)
    for (const { engine, logged } of [one, two]) {
      expect(logged).to.deep.equal([])
      await engine.close()
    }
  })
})

/** The names of all commands that came with version 7 or later. */
async function newerCommands(): Promise<string[]> {
  const redis = await RedisProcess.start()
  try {
    const admin = await redis.admin()
    const docs = await admin.sendCommand<Record<string, { since: string }>>(['COMMAND', 'DOCS'])
    return Object.entries(docs).flatMap(([name, { since }]) =>
      Number.parseInt(since, 10) >= 7 ? [name] : [],
    )
  } finally {
    await redis.stop()
  }
}
