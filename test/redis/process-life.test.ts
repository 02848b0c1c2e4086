/** Nothing that happens to Redis ends a process, or leaves a rejection that nobody handles. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { TokenSocket } from '@token-socket/client'
import type { ServerHealth } from '@token-socket/server'
import { expect } from 'chai'
import { type Admin, RedisProcess } from './redis-process.js'
import { RedisProxy } from './redis-proxy.js'

const SCRIPT = fileURLToPath(new URL('server-script.ts', import.meta.url))

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

interface Report {
  readonly faults: readonly string[]
  readonly count: number
}

describe('a process with a server on Redis, under load', () => {
  let redis: RedisProcess
  let admin: Admin
  let proxy: RedisProxy
  let child: ChildProcess
  let client: TokenSocket
  let host: string

  beforeEach(async () => {
    redis = await RedisProcess.start('--appendonly', 'yes')
    admin = await redis.admin()
    proxy = await RedisProxy.open(redis.port)
    const times = {
      commandTimeout: 500,
      connectTimeout: 500,
      checkInterval: 50,
      lease: 300,
      waitingTime: 300,
    }
    const options = { url: proxy.url, waitingPublications: 50, ...times }
    const execArgv = ['--conditions=@token-socket/source', '--import=tsx']
    child = fork(SCRIPT, [JSON.stringify(options)], { execArgv })
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    host = `127.0.0.1:${port}`
    await untilStatus('ok')
    client = new TokenSocket({ host })
    await client.ready()
    // With such short times a busy machine may need several tries.
    await untilDone(() => client.subscribe('kept-mine'))
  })

  afterEach(async () => {
    await client.end()
    child.kill('SIGKILL')
    await proxy.close()
    await redis.stop()
  })

  async function untilStatus(wanted: ServerHealth['status']): Promise<void> {
    for (;;) {
      const response = await fetch(`http://${host}/sockets/health`)
      if (((await response.json()) as ServerHealth).status === wanted) return
      await pause(5)
    }
  }

  /** Goes on when all is well again, and ends the process in good order. */
  async function expectGood(): Promise<void> {
    await untilStatus('ok')
    expect(await client.rpc('echo', 'still here')).to.equal('still here')
    const heard = new Promise<void>((resolve) => {
      client.on('message', (channel, data) => channel === 'kept-mine' && data === 'heard' && resolve())
    })
    await untilDone(() => client.publish('kept-mine', 'heard'))
    await heard
    child.send('stop')
    const exited = once(child, 'exit')
    const [{ faults, count }] = (await once(child, 'message')) as [Report]
    expect(faults).to.deep.equal([])
    expect(count).to.be.above(0)
    expect(await exited).to.deep.equal([0, null])
  }

  /** What the broker's own connections are, by their ids. */
  async function connections(): Promise<string[]> {
    const list = (await admin.sendCommand(['CLIENT', 'LIST'])) as string
    const own = await admin.clientId()
    return [...list.matchAll(/^id=(\d+) /gm)].flatMap(([, id]) => (id && id !== String(own) ? [id] : []))
  }

  it('lives when each connection is killed, one after the other and together', async () => {
    for (let round = 0; round < 4; round += 1) {
      const ids = await connections()
      for (const id of round % 2 ? ids.reverse() : ids) {
        await admin.sendCommand(['CLIENT', 'KILL', 'ID', id])
        await pause(round)
      }
      await untilStatus('ok')
    }
    await expectGood()
  }).timeout(120_000)

  it('lives when Redis is killed, and comes back', async () => {
    for (let round = 0; round < 2; round += 1) {
      await redis.kill()
      await untilStatus('degraded')
      expect(await client.rpc('echo', round)).to.equal(round)
      await pause(100)
      await redis.restart()
      await untilStatus('ok')
    }
    await expectGood()
  })

  it('lives when connections are refused or broken at once', async () => {
    proxy.isShut = true
    proxy.cut()
    await untilStatus('degraded')
    await pause(500)
    proxy.isShut = false
    await expectGood()
  })

  it('lives when Redis takes connections and is too slow for the first commands', async () => {
    proxy.delay = 170
    proxy.cut()
    await untilStatus('degraded')
    await pause(800)
    proxy.delay = 0
    await expectGood()
  })

  it('lives when nothing comes over connections any more, or comes one way only', async () => {
    for (const way of ['isMute', 'isDeaf'] as const) {
      proxy[way] = true
      await untilStatus('degraded')
      await pause(300)
      proxy[way] = false
      proxy.cut()
      await untilStatus('ok')
    }
    await expectGood()
  })

  it('lives when Redis refuses to write, and when all is lost', async () => {
    await admin.configSet('maxmemory-policy', 'noeviction')
    await admin.configSet('maxmemory', '1')
    await untilStatus('degraded')
    await admin.configSet('maxmemory', '0')
    await untilStatus('ok')
    await admin.sendCommand(['REPLICAOF', '127.0.0.1', '1'])
    await untilStatus('degraded')
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    await admin.flushAll()
    await expectGood()
  })

  it('ends in good order while Redis is away', async () => {
    await redis.kill()
    await untilStatus('degraded')
    child.send('stop')
    const exited = once(child, 'exit')
    const [{ faults }] = (await once(child, 'message')) as [Report]
    expect(faults).to.deep.equal([])
    expect(await exited).to.deep.equal([0, null])
  })
})

/** Tries until it resolves. The test's own time-out bounds it. */
async function untilDone(attempt: () => Promise<unknown>): Promise<void> {
  const isDone = () =>
    attempt().then(
      () => true,
      () => false,
    )
  while (!(await isDone())) await pause(20)
}
