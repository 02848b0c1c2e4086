/** What an engine on Redis can be told. None of these connects. */
import { type RedisEngineOptions, redisEngine } from '@token-socket/redis'
import type { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { createClient } from 'redis'
import { thrownBy } from '../protocol/rejection.js'

const TIMES = ['commandTimeout', 'connectTimeout', 'checkInterval', 'lease', 'waitingTime']

const nothing = () => {}

/** What clients of other packages have. */
const REDIS_4 = {
  duplicate: nothing,
  connect: nothing,
  disconnect: nothing,
  quit: nothing,
  sendCommand: nothing,
}
const IOREDIS = { ...REDIS_4, options: {}, sendCommand: nothing }

const WRONG: readonly [field: string, values: readonly unknown[]][] = [
  ...TIMES.map((name) => [name, [0, -1, Number.NaN, 2 ** 31, Infinity, '5000', null]] as [string, unknown[]]),
  ['tickets', [0, -1, Number.NaN, '1']],
  ['waitingPublications', [-1, Number.NaN, '1']],
  [
    'url',
    [
      '',
      5,
      'localhost:6379',
      'http://localhost',
      'redis://localhost:99999',
      'redis//localhost',
      'redis://localhost/a',
      'unix:path',
    ],
  ],
  ['client', [5, {}, { duplicate: () => ({}) }, REDIS_4, IOREDIS]],
  ['prefix', [5, 'a{}:']],
  ['logger', [5, {}, { warn: () => {} }]],
]

function refused(options: unknown): RpcError {
  return thrownBy(() => redisEngine(options as RedisEngineOptions)) as RpcError
}

describe('redisEngine', () => {
  for (const [field, values] of WRONG) {
    for (const value of values) {
      it(`refuses the ${field} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`, () => {
        const error = refused({ [field]: value })
        expect(error).to.include({ code: 'bad_option' })
        expect(error.message).to.match(new RegExp(`^Invalid option: ${field} \\S`))
        expect(error.data).to.deep.equal({ field })
      })
    }
  }

  it('refuses a url beside a client', () => {
    expect(refused({ url: 'redis://localhost', client: createClient() }).data).to.deep.equal({ field: 'url' })
  })

  for (const options of [null, 5, 'redis://localhost']) {
    it(`refuses ${JSON.stringify(options)} instead of options`, () => {
      expect(refused(options)).to.deep.include({ code: 'bad_option', data: { field: 'options' } })
    })
  }

  it('does not tell the password in a url', () => {
    expect(refused({ url: 'http://me:secret@localhost' }).message).to.not.include('secret')
  })

  it('takes what is undefined as left out, and warns of an option that does not exist, with the nearest name', async () => {
    const told: unknown[] = []
    const logger = { info: () => {}, warn: (...what: unknown[]) => told.push(what) }
    const options = { url: 'redis://localhost:1', lease: undefined, perfix: 'a:', logger }
    const engine = redisEngine(options as object)
    expect(told).to.deep.equal([[{ option: 'perfix', didYouMean: 'prefix' }, 'there is no such option']])
    await engine.close()
  })
})
