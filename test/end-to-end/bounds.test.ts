import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import { type Site, useSites } from './fixture.js'
import type { Peer } from './peer.js'

/** A user who wants more than a user may have, and gets what is asked for until then. */
interface Greed {
  readonly limit: string
  readonly value: number
  readonly code: string
  /** Asks once more. @returns the code that refuses it, if one does */
  ask(user: User, at: number): Promise<unknown>
  /** How often it is granted. */
  readonly granted: number
}

const RULE = { subscribe: true, publish: true, history: { size: 10, ttl: 60_000 } }

/** A user by all of their sockets. */
class User {
  readonly #site: Site
  readonly #uid: string
  #first: Promise<Peer> | undefined

  constructor(site: Site, uid: string) {
    this.#site = site
    this.#uid = uid
  }

  async token(): Promise<string> {
    const response = await this.#site.askToken({}, `?uid=${this.#uid}`)
    return ((await response.json()) as { token: string }).token
  }

  /** @returns the code of the answer to a token on a new connection */
  async connect(token?: string): Promise<unknown> {
    const peer = await this.#site.peer()
    return (await peer.auth(token ?? (await this.token()))).code
  }

  /** @returns the code of the answer on this user’s first socket */
  async ask(rpc: string, req: object): Promise<unknown> {
    this.#first ??= this.#open()
    return (await (await this.#first).ask({ rpc, req })).code
  }

  /** Calls what never answers, and then what does. @returns the code of the second answer */
  async hang(data: string, uuid: string): Promise<unknown> {
    this.#first ??= this.#open()
    const peer = await this.#first
    peer.send({ rpc: 'hang', req: data, uuid })
    return (await peer.ask({ rpc: 'echo', req: data })).code
  }

  async #open(): Promise<Peer> {
    const peer = await this.#site.peer()
    await peer.auth(await this.token())
    return peer
  }
}

const GREED: readonly Greed[] = [
  {
    limit: 'socketsPerUser',
    value: 3,
    code: 'too_many_sockets',
    granted: 3,
    ask: (user) => user.connect(),
  },
  {
    limit: 'subscriptionsPerUser',
    value: 3,
    code: 'too_many_subscriptions',
    granted: 3,
    ask: (user, at) => user.ask('_subscribe', { channel: `c${at}` }),
  },
  {
    limit: 'presencesPerUser',
    value: 3,
    code: 'too_many_members',
    granted: 3,
    ask: (user, at) => user.ask('_subscribe', { channel: `room-${at}` }),
  },
  {
    limit: 'channelsPerUser',
    value: 3,
    code: 'too_many_channels',
    granted: 3,
    ask: (user, at) => user.ask('_publish', { channel: `c${at}`, data: 1 }),
  },
  {
    limit: 'callBytes',
    value: 3100,
    code: 'too_many_calls',
    // There is room for three calls of a thousand: two that hang, and the one that is answered.
    granted: 2,
    ask: (user, at) => user.hang('x'.repeat(950), `hang-${at}`),
  },
]

describe('what one user makes the server keep', () => {
  const start = useSites()
  const site = (limits: object) =>
    start({
      engine: new MemoryEngine(),
      authentication: (request: { query: Record<string, unknown> }) => ({
        uid: String(request.query.uid ?? 'honest'),
      }),
      channels: { '*': RULE, 'room-*': { presence: true } },
      limits,
    })

  for (const { limit, value, code, granted, ask } of GREED) {
    it(`is bounded by limits.${limit}, and another user goes on`, async () => {
      const made = await site({ [limit]: value })
      const greedy = new User(made, 'greedy')
      const codes: unknown[] = []
      for (let at = 0; at < granted + 3; at += 1) codes.push(await ask(greedy, at))
      expect(codes.slice(0, granted)).to.deep.equal(Array(granted).fill(undefined))
      expect(codes.slice(granted)).to.deep.equal([code, code, code])
      await made.servesHonestClients()
    })
  }

  it('is bounded by limits.ticketsPerUser: the oldest token is void, and another user’s is not', async () => {
    const made = await site({ ticketsPerUser: 3 })
    const [greedy, other] = [new User(made, 'greedy'), new User(made, 'other')]
    const token = await other.token()
    const tokens: string[] = []
    for (let at = 0; at < 5; at += 1) tokens.push(await greedy.token())
    const codes = []
    for (const one of tokens) codes.push(await greedy.connect(one))
    expect(codes).to.deep.equal(['invalid_token', 'invalid_token', undefined, undefined, undefined])
    expect(await other.connect(token)).to.equal(undefined)
    await made.servesHonestClients()
  })
})
