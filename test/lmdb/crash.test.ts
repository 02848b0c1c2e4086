import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { LmdbEngine } from '@token-socket/lmdb'
import type { Publication } from '@token-socket/server'
import { expect } from 'chai'

const PUBLISHER = fileURLToPath(new URL('publisher.ts', import.meta.url))
const CLAIMER = fileURLToPath(new URL('claimer.ts', import.meta.url))
const KILLS = 20

interface Acknowledged {
  readonly channel: string
  readonly json: string
  readonly offset: number
  readonly id: string
}

function spawnOf(file: string, ...args: readonly string[]): ChildProcess {
  const all = ['--conditions=@token-socket/source', '--import=tsx', file, ...args]
  return spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Lets a process publish for a moment, and kills it. @returns what was acknowledged */
async function burst(path: string, round: number): Promise<Acknowledged[]> {
  const child = spawnOf(PUBLISHER, path, String(round * 1_000_000))
  const output = text(child.stdout as NodeJS.ReadableStream)
  await once(child.stdout as NodeJS.ReadableStream, 'readable')
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 100))
  child.kill('SIGKILL')
  await once(child, 'close')
  const lines = (await output).split('\n').slice(0, -1)
  return lines.map((line) => {
    const [channel = '', json = '', offset, id = ''] = line.split(' ')
    return { channel, json, offset: Number(offset), id }
  })
}

async function everything(engine: LmdbEngine, channel: string): Promise<Publication[]> {
  const found: Publication[] = []
  for (;;) {
    const { publications } = await engine.history.read(channel, { after: found.length, limit: 1000 })
    found.push(...publications)
    if (publications.length < 1000) return found
  }
}

describe('LmdbEngine', () => {
  let path: string

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'token-socket-crash-'))
  })

  afterEach(() => rm(path, { recursive: true }))

  it(`keeps what was acknowledged, once and in order, though its process is killed ${KILLS} times`, async function () {
    this.timeout(120_000)
    const acknowledged: Acknowledged[] = []
    for (let round = 0; round < KILLS; round += 1) acknowledged.push(...(await burst(path, round)))
    const engine = new LmdbEngine({ path })
    try {
      expect(acknowledged.length).to.be.above(KILLS)
      for (const channel of ['channel-0', 'channel-1', 'channel-2']) {
        const kept = await everything(engine, channel)
        expect(kept.map(({ offset }) => offset)).to.deep.equal(kept.map((_, index) => index + 1))
        const ids = kept.map(({ id }) => id)
        expect(ids).to.deep.equal([...new Set(ids)].sort())
        expect(new Set(kept.map(({ epoch }) => epoch))).to.have.property('size', 1)
        for (const { offset, json, id } of acknowledged.filter((one) => one.channel === channel)) {
          expect(kept[offset - 1]).to.include({ json, id })
        }
      }
    } finally {
      await engine.close()
    }
  })

  it('keeps an id claimed that a process claimed before it was killed', async () => {
    const child = spawnOf(CLAIMER, path, 'used')
    const output = text(child.stdout as NodeJS.ReadableStream)
    await once(child.stdout as NodeJS.ReadableStream, 'readable')
    child.kill('SIGKILL')
    expect(await output).to.equal('true\n')
    const engine = new LmdbEngine({ path })
    expect(await engine.tickets.claim('used', 60_000)).to.equal(false)
    expect(await engine.tickets.claim('other', 60_000)).to.equal(true)
    await engine.close()
  })

  it('goes on where it was: positions, publications and idempotency keys', async () => {
    const retention = { size: 10, ttl: 60_000 }
    const draft = { channel: 'a', json: '{"x":1}', event: 'chat', meta: '{"uid":"u"}' }
    const first = new LmdbEngine({ path })
    const receipt = await first.broker.publish(draft, { retention, idempotencyKey: 'k' })
    await first.close()
    const second = new LmdbEngine({ path })
    expect(await second.broker.publish(draft, { retention, idempotencyKey: 'k' })).to.deep.equal(receipt)
    expect(await second.history.read('a', { limit: 10 })).to.deep.equal({
      position: { epoch: receipt.epoch, offset: 1 },
      publications: [{ ...draft, ...receipt }],
      more: false,
    })
    expect((await second.broker.publish(draft, { retention })).offset).to.equal(2)
    await second.close()
  })
})
