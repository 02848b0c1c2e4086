import { expect } from 'chai'
import type { RedisNodes } from '#redis/redis-nodes.js'
import { rejection } from '../protocol/rejection.js'
import { NodeProcess } from './node-process.js'
import { RedisNode } from './redis-node.js'
import { type Admin, RedisProcess } from './redis-process.js'
import { RedisProxy } from './redis-proxy.js'

describe('nodes that ask each other', function () {
  this.timeout(120_000)
  let redis: RedisProcess
  let admin: Admin
  let nodes: RedisNode[] = []
  let processes: NodeProcess[] = []

  before(async () => {
    redis = await RedisProcess.start()
    admin = await redis.admin()
  })

  after(() => redis.stop())

  afterEach(async () => {
    await Promise.all(nodes.map(({ engine }) => engine.close()))
    await Promise.all(processes.map((one) => one.kill()))
    nodes = []
    processes = []
    await admin.flushAll()
  })

  const start = async (options = {}) => {
    const node = await RedisNode.start({ url: redis.url, ...options })
    nodes.push(node)
    return node
  }
  const startProcess = async (options = {}) => {
    const process = await NodeProcess.start({ url: redis.url, ...options })
    processes.push(process)
    return process
  }
  const idsBut = async ({ engine }: RedisNode) =>
    (await engine.nodes.list()).filter((id) => id !== engine.nodes.id)
  /** The other node. On a busy machine a short lease may be over for a moment. */
  const otherOf = async (one: RedisNode): Promise<string> => {
    for (;;) {
      const [id] = await idsBut(one)
      if (id !== undefined) return id
    }
  }

  it('do not wait for one that is killed meanwhile', async () => {
    const one = await start({ lease: 1000 })
    const other = await startProcess({ lease: 1000 })
    const id = await otherOf(one)
    const asked = one.engine.nodes.ask('how are you?', { timeout: Number.POSITIVE_INFINITY })
    // Otherwise it may be killed before the question reaches it.
    await other.asked
    await other.kill()
    const { answers, missing } = await asked
    expect([...answers]).to.deep.equal([])
    expect([...missing]).to.deep.equal([[id, 'silent']])
    while ((await idsBut(one)).length > 0);
  })

  it('find one that was killed before unreached, though its lease is not over', async () => {
    const one = await start({ lease: 1000 })
    const other = await startProcess({ lease: 1000 })
    const node = await otherOf(one)
    await other.kill()
    const { missing } = await one.engine.nodes.ask('how are you?', { node, timeout: 60_000 })
    expect(missing.get(node)).to.be.oneOf(['unreached', 'silent'])
    const later = await one.engine.nodes.ask('how are you?', { node, timeout: 60_000 })
    expect([...later.missing]).to.deep.equal([[node, 'unreached']])
  })

  it('know at once that one has closed', async () => {
    const [one, two] = [await start(), await start()]
    expect(await idsBut(one)).to.deep.equal([two.engine.nodes.id])
    await two.engine.close()
    expect(await idsBut(one)).to.deep.equal([])
  })

  it('fail with engine_unavailable while Redis is away, and go on when it is back', async () => {
    const own = await RedisProcess.start()
    const options = { url: own.url, commandTimeout: 1000, connectTimeout: 1000, lease: 1000 }
    const [one, two] = [await RedisNode.start(options), await RedisNode.start(options)]
    try {
      two.engine.nodes.serve(async () => 'well')
      await own.kill()
      const ask = () => one.engine.nodes.ask('how are you?', { node: two.engine.nodes.id, timeout: 5000 })
      expect((await rejection(ask())).code).to.equal('engine_unavailable')
      expect((await rejection(one.engine.nodes.list())).code).to.equal('engine_unavailable')
      await own.restart()
      let said: string | undefined
      while (said === undefined) {
        said = await ask().then(
          ({ answers }) => answers.get(two.engine.nodes.id),
          () => new Promise((resolve) => setTimeout(resolve, 50)),
        )
      }
      expect(said).to.equal('well')
    } finally {
      await Promise.all([one.engine.close(), two.engine.close()])
      await own.stop()
    }
  })

  it('ask those whose leases Redis has lost, too', async () => {
    const [one, two] = [await start(), await start()]
    two.engine.nodes.serve(async () => 'well')
    expect(await idsBut(one)).to.deep.equal([two.engine.nodes.id])
    await admin.flushAll()
    const { answers, missing } = await one.engine.nodes.ask('how are you?', { timeout: 60_000 })
    expect([...answers]).to.deep.equal([[two.engine.nodes.id, 'well']])
    expect([...missing]).to.deep.equal([])
  })

  it('miss one that has not come back since Redis has', async () => {
    const proxy = await RedisProxy.open(redis.port)
    const [one, two] = [await start(), await start({ url: proxy.url })]
    try {
      expect(await idsBut(one)).to.deep.equal([two.engine.nodes.id])
      proxy.isShut = true
      proxy.cut()
      await Promise.all([
        one.untilLogged('Redis is back'),
        admin.multi().flushAll().addCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']).exec(),
      ])
      const { missing } = await one.engine.nodes.ask('how are you?', { timeout: 60_000 })
      expect([...missing]).to.deep.equal([[two.engine.nodes.id, 'unreached']])
    } finally {
      await two.engine.close()
      await proxy.close()
    }
  })

  it('miss nobody who has closed', async () => {
    const [one, two] = [await start(), await start()]
    expect(await idsBut(one)).to.deep.equal([two.engine.nodes.id])
    await two.engine.close()
    const { answers, missing } = await one.engine.nodes.ask('how are you?', { timeout: 60_000 })
    expect([...answers, ...missing]).to.deep.equal([])
  })

  for (const [what, away] of [
    ['a question', 1],
    ['an answer', 0],
  ] as const) {
    it(`lose no time over ${what} that comes while its node is away for a moment`, async () => {
      const proxy = await RedisProxy.open(redis.port)
      const urls = [0, 1].map((index) => (index === away ? proxy.url : redis.url))
      const [one, two] = [await start({ url: urls[0] }), await start({ url: urls[1] })]
      const loseConnections = async () => {
        proxy.isShut = true
        proxy.cut()
        while ((await admin.pubSubChannels('*node*')).length > 1);
      }
      let asked = 0
      two.engine.nodes.serve(async () => {
        asked += 1
        if (away === 0) await loseConnections()
        setTimeout(() => {
          proxy.isShut = false
        }, 50)
        return 'well'
      })
      if (away === 1) await loseConnections()
      const node = two.engine.nodes.id
      const asking = one.engine.nodes.ask('how are you?', { node, timeout: Number.POSITIVE_INFINITY })
      if (away === 1) proxy.isShut = false
      expect([...(await asking).answers]).to.deep.equal([[node, 'well']])
      expect(asked).to.equal(1)
      await Promise.all(nodes.splice(0).map(({ engine }) => engine.close()))
      await proxy.close()
    })
  }

  for (const [what, letter, away] of [
    ['a question', 'q', 1],
    ['an answer', 'a', 0],
  ] as const) {
    it(`do not wait for ever for ${what} that Redis has sent and nobody got`, async () => {
      const proxy = await RedisProxy.open(redis.port)
      const urls = [0, 1].map((index) => (index === away ? proxy.url : redis.url))
      const [one, two] = await Promise.all(urls.map((url) => start({ url, lease: 300 })))
      proxy.loses = (message) => message.startsWith(`${letter} `)
      two?.engine.nodes.serve(async () => 'well')
      const node = two?.engine.nodes.id ?? ''
      const asked = one?.engine.nodes.ask('how are you?', { node, timeout: Number.POSITIVE_INFINITY })
      expect([...((await asked)?.missing ?? [])]).to.deep.equal([[node, 'silent']])
      await Promise.all(nodes.splice(0).map(({ engine }) => engine.close()))
      await proxy.close()
    })
  }

  it('wait as long as it takes for one that is at it', async () => {
    const proxy = await RedisProxy.open(redis.port)
    const [one, two] = [await start({ lease: 3000 }), await start({ lease: 3000, url: proxy.url })]
    // The first doubts have got no answer by then.
    const doubts = countedMessages(proxy, 'd ', 3)
    two.engine.nodes.serve(() => doubts.then(() => 'well'))
    const node = two.engine.nodes.id
    try {
      const asked = one.engine.nodes.ask('how are you?', { node, timeout: Number.POSITIVE_INFINITY })
      expect([...(await asked).answers]).to.deep.equal([[node, 'well']])
    } finally {
      await two.engine.close()
      await proxy.close()
    }
  })

  it('refuse a question that is too large, and say so of an answer that is', async () => {
    const [one, two] = [await start(), await start()]
    const text = 'x'.repeat(1024 * 1024 + 1)
    const error = await rejection(one.engine.nodes.ask(text, { timeout: 1000 }))
    expect([error.code, error.data]).to.deep.equal(['too_large', { field: 'question', limit: 1024 * 1024 }])
    two.engine.nodes.serve(async () => text)
    const { missing } = await one.engine.nodes.ask('how are you?', { timeout: 60_000 })
    expect([...missing]).to.deep.equal([[two.engine.nodes.id, 'too_large']])
  })

  it('take nothing that is not theirs for a question or an answer', async () => {
    const [one, two] = [await start(), await start()]
    two.engine.nodes.serve(async () => 'well')
    const foreign = [
      '',
      'hello',
      'q 1',
      'q x y\n',
      'a 1 nobody\nforged',
      `x 1 ${two.engine.nodes.id}\n`,
      '{}',
    ]
    for (const text of foreign) await admin.publish((one.engine.nodes as RedisNodes).topic, text)
    await one.untilLogged('a message to this node is not ours')
    const { answers } = await one.engine.nodes.ask('how are you?', { timeout: 60_000 })
    expect([...answers]).to.deep.equal([[two.engine.nodes.id, 'well']])
  })

  it('take an answer from nobody who was not asked', async () => {
    const [one, two] = [await start(), await start()]
    const asked = one.engine.nodes.ask('1', { node: two.engine.nodes.id, timeout: 60_000 })
    two.engine.nodes.serve(async () => {
      await admin.publish((one.engine.nodes as RedisNodes).topic, 'a 1 somebody\nforged')
      return 'well'
    })
    expect([...(await asked).answers]).to.deep.equal([[two.engine.nodes.id, 'well']])
  })

  it('do without the list of those that live where it is of the wrong type', async () => {
    const one = await start()
    await admin.set('token-socket:{%nodes}', 'not a sorted set')
    expect((await rejection(one.engine.nodes.list())).code).to.equal('engine_unavailable')
    expect((await one.keep('a', '1')).offset).to.equal(1)
  })
})

/** Resolves when Redis has sent a number of messages that begin so. */
function countedMessages(proxy: RedisProxy, start: string, count: number): Promise<void> {
  let left = count
  return new Promise((resolve) => {
    proxy.loses = (message) => {
      if (message.startsWith(start) && --left === 0) resolve()
      return false
    }
  })
}
