/** What every kind of answer does to the slots of `connectAuthentication`, and to the turns of the event loop. */
import type { IncomingMessage } from 'node:http'
import { MemoryEngine, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import fc from 'fast-check'
import sinon from 'sinon'
import {
  type ConnectAuthentication,
  ConnectAuthenticator,
} from '#server/authentication/connect-authentication.js'
import { PendingConnection } from '#server/authentication/pending-connection.js'
import { Revocations } from '#server/authentication/revocations.js'
import { TurnThrottle } from '#server/runtime/turn-throttle.js'
import { collectGarbage } from '../../garbage.js'
import { RecordedLog } from '../recorded-log.js'

const SLOTS = 3

/** Every way to answer, to answer twice, and to fail. */
const ANSWERS: Readonly<Record<string, ConnectAuthentication>> = {
  'returns an object': () => ({}),
  'returns false': () => false,
  resolves: async () => true,
  'resolves later': () => new Promise((resolve) => setImmediate(resolve, true)),
  'calls back at once': (_request, callback) => callback(null, true),
  'calls back at once, twice': (_request, callback) => {
    callback(null, true)
    callback(null, false)
  },
  'calls back later': (_request, callback) => void setImmediate(callback, null, true),
  'calls back an error at once': (_request, callback) => callback(new Error('no')),
  'calls back and returns': (_request, callback) => {
    callback(null, true)
    return {}
  },
  'calls back and throws': (_request, callback) => {
    callback(null, true)
    throw new Error('late')
  },
  'calls back and rejects later': async (_request, callback) => {
    callback(null, true)
    await new Promise(setImmediate)
    throw new Error('late')
  },
  throws: () => {
    throw new Error('no')
  },
  'throws undefined': () => {
    throw undefined
  },
  rejects: () => Promise.reject(null),
  refuses: () => Promise.reject(new RpcError('forbidden')),
  'returns what throws when it is awaited': () =>
    new Proxy(
      {},
      {
        has: () => {
          throw new Error('no')
        },
      },
    ),
}

/** The event loop goes round. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

const requestFrom = (remoteAddress: string) =>
  ({ url: '/sockets/websocket', headers: {}, socket: { remoteAddress } }) as unknown as IncomingMessage

/** An authenticator whose function can be exchanged. It declares a callback. */
function make(size = SLOTS) {
  const { tickets } = new MemoryEngine()
  const state = { hook: (() => true) as ConnectAuthentication }
  const authenticator = new ConnectAuthenticator({
    connectAuthentication: (request, callback) => state.hook(request, callback),
    limits: { authData: 1000, connectAuthentications: size },
    trusts: () => false,
    revocations: new Revocations({ tickets, tokenTtl: 30_000, limits: { authenticationTimeout: 10_000 } }),
    log: new RecordedLog(),
    failed: () => {},
    throttle: new TurnThrottle(),
    authTimeout: () => 5000,
  })
  return { authenticator, state }
}

const enter = (
  { authenticator }: ReturnType<typeof make>,
  from: string,
  arrival = new PendingConnection(() => {}),
) =>
  authenticator.authenticate(requestFrom(from), arrival).then(
    () => 'in',
    ({ code }) => code as string,
  )

describe('slots of connectAuthentication', () => {
  // Time-outs of calls that never end are not to fire in another test.
  beforeEach(() => sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => sinon.restore())

  /** How many are asked about at once. */
  async function countSlots(made: ReturnType<typeof make>): Promise<number> {
    const answers: ((auth: boolean) => void)[] = []
    made.state.hook = () => new Promise((resolve) => answers.push(resolve))
    const all = Array.from({ length: SLOTS + 2 }, () => enter(made, '9.9.9.9'))
    await turn()
    const count = answers.length
    for (let index = 0; index < all.length; index += 1) {
      answers[index]?.(true)
      await turn()
    }
    expect(await Promise.all(all)).to.deep.equal(all.map(() => 'in'))
    return count
  }

  it('are given back once, whatever the function does, and whenever clients leave', async () => {
    const step = fc.record({
      kind: fc.constantFrom(...Object.keys(ANSWERS)),
      from: fc.constantFrom('1.1.1.1', '2.2.2.2'),
      leaves: fc.constantFrom('never', 'at once', 'in a turn'),
    })
    const steps = fc.array(step, { minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(steps, async (clients) => {
        const made = make()
        let next = 0
        made.state.hook = (...args) => ANSWERS[clients[next++ % clients.length]?.kind ?? '']?.(...args)
        const all = clients.map(async ({ from, leaves }) => {
          const arrival = new PendingConnection(() => {})
          const outcome = enter(made, from, arrival)
          if (leaves === 'in a turn') await turn()
          if (leaves !== 'never') arrival.close()
          return outcome
        })
        await Promise.all(all)
        // Functions of clients that have left answer, too.
        for (let count = 0; count < 5; count += 1) await turn()
        expect(await countSlots(made)).to.equal(SLOTS)
      }),
      { numRuns: 50 },
    )
  })

  for (const [kind, hook] of Object.entries(ANSWERS))
    it(`are there for the next when the function ${kind}`, async () => {
      const made = make()
      made.state.hook = hook
      const outcomes = new Set<string>()
      for (let count = 0; count < SLOTS * 3; count += 1) outcomes.add(await enter(made, '1.1.1.1'))
      expect(outcomes).to.have.property('size', 1)
      expect(await countSlots(made)).to.equal(SLOTS)
    })

  describe('of 3,000 that wait', () => {
    let made: ReturnType<typeof make>
    let answers: ((auth: boolean) => void)[]
    let asked: number

    /** @returns how they ended, and in which turn */
    async function wait(from: (index: number) => string) {
      const outcomes: string[] = []
      const all = Array.from({ length: 3000 }, (_, index) =>
        enter(made, from(index)).then((outcome) => outcomes.push(outcome)),
      )
      await turn()
      return { outcomes, all }
    }

    /** The most of a count in one turn, until all are done. */
    async function mostInOneTurn(count: () => number, all: number): Promise<number> {
      let most = 0
      for (let before = count(); before < all; before = count()) {
        await turn()
        most = Math.max(most, count() - before)
      }
      return most
    }

    beforeEach(() => {
      made = make(64)
      answers = []
      asked = 0
      made.state.hook = () => {
        asked += 1
        return new Promise((resolve) => answers.push(resolve))
      }
    })

    for (const [kind, hook] of Object.entries({
      'calls back at once': (_request, callback) => void callback(null, true),
      'returns at once': () => true,
      'throws at once': () => {
        throw new Error('no')
      },
    } satisfies Record<string, ConnectAuthentication>))
      it(`lets a few in each turn in, and asks about a few, once the function ${kind}`, async () => {
        const { outcomes } = await wait((index) => `1.2.3.${index % 200}`)
        made.state.hook = (...args) => {
          asked += 1
          return hook(...args)
        }
        for (const answer of answers) answer(true)
        let before = asked
        let mostAsked = 0
        const mostIn = await mostInOneTurn(() => {
          mostAsked = Math.max(mostAsked, asked - before)
          before = asked
          return outcomes.length
        }, 3000)
        expect(mostIn).to.be.within(1, 64)
        expect(mostAsked).to.be.within(1, 64)
        expect([asked, outcomes.length]).to.deep.equal([3000, 3000])
      })

    it('lets a few in each turn in when as many as may be asked about are answered at once', async () => {
      made = make(3000)
      made.state.hook = () => new Promise((resolve) => answers.push(resolve))
      const { outcomes } = await wait(() => '1.2.3.4')
      for (let count = 0; count < 200 && answers.length < 3000; count += 1) await turn()
      for (const answer of answers) answer(true)
      expect(await mostInOneTurn(() => outcomes.length, 3000)).to.be.within(1, 64)
    })
  })

  it('keep nothing of clients that have left while they waited', async () => {
    const made = make()
    made.state.hook = () => new Promise(() => {})
    const arrivals: PendingConnection[] = []
    const requests = Array.from({ length: SLOTS + 20 }, () => {
      const arrival = new PendingConnection(() => {})
      const request = requestFrom('1.1.1.1')
      arrivals.push(arrival)
      made.authenticator.authenticate(request, arrival).catch(() => {})
      return new WeakRef(request)
    })
    await turn()
    for (const arrival of arrivals) arrival.close()
    await turn()
    await turn()
    collectGarbage()
    expect(requests.filter((request) => request.deref() !== undefined)).to.deep.equal([])
  })
})
