import { exchange } from '../exchange.js'
import type { Row } from '../row.js'

export const rows: readonly Row[] = [
  {
    group: 'Engines',
    name: 'Redis, by redisEngine',
    packages: [],
    ours: ['protocol', 'client', 'server', 'redis'],
    programs: ['REDIS_SERVER'],
    suite: true,
    expected: 'works',
    run: async (application) => {
      const { url, version } = await application.redis()
      const env = { REDIS_URL: url }
      await exchange(application, { server: 'engines/redis.mjs', version: 'express', env })
      return { version }
    },
  },
  {
    group: 'Engines',
    name: 'LMDB, by lmdbEngine',
    packages: [],
    ours: ['protocol', 'client', 'server', 'lmdb'],
    suite: true,
    expected: 'works',
    run: (application) => exchange(application, { server: 'engines/lmdb.mjs', version: 'lmdb' }),
  },
]
