import type { ClusterSettings } from '@token-socket/redis'
import { freePort } from '../ports.js'
import { type Admin, RedisProcess } from './redis-process.js'

const SLOTS = 16_384

/** One Redis of a cluster. */
export interface ClusterMember {
  readonly process: RedisProcess
  readonly admin: Admin
  readonly id: string
}

/** A real Redis Cluster: three masters with a third of the slots each, and a replica of each of the first so many. */
export class RedisCluster {
  readonly masters: readonly ClusterMember[]
  readonly replicas: readonly ClusterMember[]

  private constructor(members: readonly ClusterMember[]) {
    this.masters = members.slice(0, 3)
    this.replicas = members.slice(3)
  }

  /** @param settings of redis.conf, as arguments */
  static async start(replicas = 0, ...settings: readonly string[]): Promise<RedisCluster> {
    const started = Array.from({ length: 3 + replicas }, () => startMember(settings))
    const cluster = new RedisCluster(await Promise.all(started))
    await cluster.#join()
    return cluster
  }

  /** Settings that name one of them. */
  get settings(): ClusterSettings {
    const { port } = (this.masters[1] as ClusterMember).process
    return { rootNodes: [{ socket: { host: '127.0.0.1', port } }] }
  }

  async flush(): Promise<void> {
    await Promise.all(this.masters.map(({ admin }) => admin.flushAll()))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.masters, ...this.replicas].map(({ process }) => process.stop()))
  }

  async #join(): Promise<void> {
    const [first, ...others] = [...this.masters, ...this.replicas] as [ClusterMember, ...ClusterMember[]]
    const port = String(first.process.port)
    for (const [index, { admin }] of this.masters.entries()) {
      const [from, to] = [index, index + 1].map((third) => Math.ceil((third * SLOTS) / 3))
      await admin.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', String(from), String(Number(to) - 1)])
      await admin.sendCommand(['CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)])
    }
    const { 'cluster-port': busPort } = await first.admin.configGet('cluster-port')
    for (const { admin } of others)
      await admin.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', port, String(busPort)])
    for (const [index, { admin }] of this.replicas.entries()) {
      const { id } = this.masters[index] as ClusterMember
      await until(() => isDone(admin.sendCommand(['CLUSTER', 'REPLICATE', id])))
      await until(async () => (await admin.info('replication')).includes('master_link_status:up'))
    }
    for (const { admin } of [first, ...others])
      await until(async () => {
        const info = await admin.sendCommand<string>(['CLUSTER', 'INFO'])
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${others.length + 1}`)
      })
  }
}

/** Waits until something is so. The test's own time-out bounds it. */
export async function until(isTrue: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Whether an operation is carried out. */
export function isDone(operation: Promise<unknown>): Promise<boolean> {
  return operation.then(
    () => true,
    () => false,
  )
}

async function startMember(settings: readonly string[]): Promise<ClusterMember> {
  const process = await RedisProcess.start(
    ...['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
    ...['--cluster-node-timeout', '1000', '--cluster-replica-validity-factor', '0'],
    ...['--cluster-require-full-coverage', 'no', '--repl-diskless-sync-delay', '0'],
    ...settings,
  )
  const admin = await process.admin()
  return { process, admin, id: await admin.sendCommand<string>(['CLUSTER', 'MYID']) }
}
