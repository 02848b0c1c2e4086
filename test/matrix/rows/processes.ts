import { freePort } from '../../ports.js'
import type { Application } from '../application.js'
import { exchange, refusal } from '../exchange.js'
import type { Outcome, Package, Row } from '../row.js'

const WITH_REDIS = ['protocol', 'client', 'server', 'redis']
const note =
  'Give each worker `redisEngine`. Clients that poll have to come to the same worker each time, which the module does not see to: leave their transports out.'

/** Restarts a server by a change of its file, while a client stays. */
async function restarted(
  application: Application,
  version: string,
  [program = '', ...args]: readonly string[],
): Promise<Outcome> {
  const port = String(await freePort())
  await application.copy('exchange')
  await application.copy('processes')
  await application.write('text.mjs', "export const text = 'one'\n")
  const server = await application.start(program, [...args, 'on-port.mjs'], { env: { PORT: port } })
  await server.prints(/listening on/)
  const client = await application.start('node', ['reloaded.mjs', `http://127.0.0.1:${port}`])
  await client.prints(/first one/)
  await application.write('text.mjs', "export const text = 'two'\n")
  await client.prints(/then two/)
  return { version: version === 'node' ? process.versions.node : await application.version(version) }
}

const restarts = (name: string, packages: readonly Package[], command: readonly string[]): Row => ({
  group: 'Processes',
  name,
  packages,
  expected: 'works',
  note: 'Clients come back by themselves when the server has started anew.',
  run: (application) => restarted(application, packages[0]?.name ?? 'node', command),
})

/** Starts a cluster of Node’s module, with the servers of its workers beside it. */
async function prepareCluster(application: Application): Promise<void> {
  await application.copy('frameworks/express.mjs', 'express.mjs')
  await application.copy('engines/redis.mjs', 'redis.mjs')
}

export const rows: readonly Row[] = [
  {
    group: 'Processes',
    name: 'Node’s cluster module, with redisEngine',
    packages: [],
    ours: WITH_REDIS,
    programs: ['REDIS_SERVER'],
    expected: 'works',
    note,
    run: async (application) => {
      await prepareCluster(application)
      const { url } = await application.redis()
      const parts = { server: 'processes/cluster.mjs', version: 'express', polls: false }
      await exchange(application, { ...parts, env: { REDIS_URL: url } })
      return { version: process.versions.node }
    },
  },
  {
    group: 'Processes',
    name: 'Node’s cluster module, without a shared engine',
    packages: [],
    suite: true,
    expected: 'refused',
    note,
    run: async (application) => {
      await prepareCluster(application)
      const message = /this process is a worker of a cluster, and its engine is its own/
      await refusal(application, { server: 'processes/cluster.mjs', version: 'express', message })
      return { version: process.versions.node, message: message.source }
    },
  },
  {
    group: 'Processes',
    name: 'PM2, cluster mode, without a shared engine',
    packages: [{ name: 'pm2', version: '^7.0.0' }],
    expected: 'refused',
    note: 'Use its fork mode with one process, or give each process `redisEngine` and leave the transports out that poll.',
    run: async (application) => {
      await application.copy('exchange')
      await application.copy('frameworks/express.mjs', 'express.mjs')
      const env = { PM2_HOME: application.path('pm2') }
      const pm2 = await application.start('pm2', ['start', 'express.mjs', '-i', '2', '--no-daemon'], { env })
      const [message] = await pm2.prints(/this process is a worker of a cluster, and its engine is its own/)
      return { version: await application.version('pm2'), message }
    },
  },
  restarts('nodemon', [{ name: 'nodemon', version: '^3.0.0' }], ['nodemon', '--quiet']),
  restarts('tsx watch', [{ name: 'tsx', version: '^4.0.0' }], ['tsx', 'watch']),
  restarts('node --watch', [], ['node', '--watch']),
  {
    group: 'Test runners',
    name: 'supertest',
    packages: [{ name: 'supertest', version: '^7.0.0' }],
    expected: 'works',
    note: 'Give it the HTTP server.',
    run: async (application) => {
      await application.copy('exchange')
      await application.copy('processes')
      const { stdout, stderr } = await application.run('node', ['supertest.mjs'], { timeout: 30_000 })
      if (!stdout.includes('done')) throw new Error(`${stdout}${stderr}`)
      return { version: await application.version('supertest') }
    },
  },
]
