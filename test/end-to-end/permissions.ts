/**
 * Who may read and write what, as a table: every path, by every kind of grant, rule, listener and filter, on real sockets. What
 * is right is said here once more, in a few lines, and not taken from the server's code.
 */
import type { Engine } from '@token-socket/server'
import { expect } from 'chai'
import { Site, until } from './fixture.js'
import type { Frame, Peer } from './peer.js'

const GRANTS = ['none', 'allow', 'false', 'no start', 'start now'] as const
const RULES = ['unsaid', 'true', 'false', 'yes', 'no', 'throws'] as const
/** `not on broadcast`: the others say yes. */
const LISTENERS = ['none', 'yes', 'no', 'throws', 'not on broadcast'] as const
const FILTERS = ['none', 'withholds', 'changes'] as const

type Grant = (typeof GRANTS)[number]
/** `absent`: the server has no rules at all. */
type Rule = (typeof RULES)[number] | 'absent'
type Listener = (typeof LISTENERS)[number]
type Filter = (typeof FILTERS)[number]

/** What is tried on which engine. */
export interface PermissionTable {
  readonly listeners: readonly Listener[]
  readonly rules: readonly Rule[]
  readonly filters: readonly Filter[]
}

/** Everything. */
export const WHOLE: PermissionTable = { listeners: LISTENERS, rules: ['absent', ...RULES], filters: FILTERS }

/** What depends on the engine. */
export const PRUNED: PermissionTable = {
  listeners: ['none', 'no'],
  rules: ['absent', 'true', 'false'],
  filters: ['changes'],
}

const HISTORY = { size: 100, ttl: 60_000 }

// What is right.

interface Kind {
  readonly grant: Grant
  readonly rule: Rule
  readonly listener: Listener
  readonly filter: Filter
}

/** Subscribing and publishing: all have the same say. */
function may({ grant, rule, listener }: Kind): boolean {
  if (grant === 'false' || ['false', 'no', 'throws'].includes(rule)) return false
  if (listener === 'no' || listener === 'throws') return false
  return grant !== 'none' || rule === 'true' || rule === 'yes' || rule === 'absent'
}

/** Which of old (1), new (2) and live (3) may be read as history: the number of the first, 9 for none of them. */
const FIRST: { readonly [Name in Grant]: number } = {
  none: 1,
  allow: 1,
  false: 1,
  'no start': 9,
  'start now': 2,
}

function mayReadHistory(kind: Kind): boolean {
  if (kind.grant === 'no start') return false
  // Without claims it has to be on the channel.
  return may(kind)
}

function seen({ filter }: Kind, texts: readonly string[]): readonly string[] {
  if (filter === 'withholds') return []
  return filter === 'changes' ? texts.map((text) => `changed ${text}`) : texts
}

const KEPT = ['old', 'new', 'live']

/** After a position that only the client vouches for. */
function afterForged(kind: Kind, offset: number): Outcome {
  if (!may(kind)) return 'forbidden'
  return offset + 1 < FIRST[kind.grant] ? 'gap' : seen(kind, KEPT.slice(offset))
}

function mayBroadcast({ grant, rule, listener }: Kind): boolean {
  return rule === 'absent' && grant === 'none' && (listener === 'none' || listener === 'yes')
}

type Outcome = readonly string[] | string | boolean

/** What each path has to give. */
function expected(kind: Kind): Record<string, Outcome> {
  const live = may(kind) ? seen(kind, ['live']) : []
  const history = mayReadHistory(kind) ? seen(kind, KEPT.slice(FIRST[kind.grant] - 1)) : 'forbidden'
  const isOff = kind.grant === 'none'
  return {
    'history, not on it': isOff ? 'forbidden' : (before(kind, history) as Outcome),
    subscribe: may(kind),
    live,
    'history, on it': history,
    'subscribe again, from 0': afterForged(kind, 0),
    'subscribe again, from 1': afterForged(kind, 1),
    'recovery, from 0': afterForged(kind, 0),
    'recovery, from 1': afterForged(kind, 1),
    'recovery, from 1, with a proof of 2': afterForged(kind, 1),
    'recovery, from 2, with its proof': may(kind) ? seen(kind, ['live']) : 'forbidden',
    publish: may(kind),
    'publish twice by key': may(kind) ? ['1', '1'] : 'forbidden',
    broadcast: mayBroadcast(kind),
  }
}

/** The same before `live` was published. */
function before({ filter }: Kind, history: Outcome): Outcome {
  if (!Array.isArray(history)) return history
  return history.filter((text) => text !== (filter === 'changes' ? 'changed live' : 'live'))
}

// What is.

const ruleOf = {
  unsaid: {},
  true: { subscribe: true, publish: true },
  false: { subscribe: false, publish: false },
  yes: { subscribe: async () => true, publish: () => true },
  no: { subscribe: () => false, publish: async () => false },
  throws: {
    subscribe: () => {
      throw new Error('a rule that throws')
    },
    publish: () => Promise.reject(new Error('a rule that throws')),
  },
} as const

/** A function of a rule says nothing about the one who looks on: it is asked about nobody else. */
const channelOf = ({ rule, filter }: Pick<Kind, 'rule' | 'filter'>) => `${rule}.${filter}`

const answers: { readonly [Name in Exclude<Listener, 'none'>]: () => boolean } = {
  yes: () => true,
  'not on broadcast': () => true,
  no: () => false,
  throws: () => {
    throw new Error('a listener that throws')
  },
}

/** A site with one kind of listener, and a user of each kind of grant. */
class Trial {
  readonly #site: Site
  readonly #listener: Listener
  readonly #channels: readonly Pick<Kind, 'rule' | 'filter'>[]
  #start = 0
  #looker!: Peer

  static async start(engine: Engine, listener: Listener, kinds: readonly Pick<Kind, 'rule' | 'filter'>[]) {
    const isOpen = kinds.some(({ rule }) => rule === 'absent')
    const rules = Object.entries(ruleOf).map(([name, rule]) => [`${name}.*`, { ...rule, history: HISTORY }])
    const site = await Site.start({
      engine,
      secret: 'a secret of thirty-two bytes or so',
      authentication: (request: { query: Record<string, unknown> }) => claims(String(request.query.g)),
      filter: (socket, channel, message) => {
        if (socket.uid === 'looker' || channel.endsWith('none')) return message
        const { text } = message as { text: string }
        return channel.endsWith('changes') && { text: `changed ${text}` }
      },
      ...(!isOpen && { channels: Object.fromEntries(rules) }),
    })
    const trial = new Trial(site, listener, kinds)
    const claims = (grant: string) => ({ uid: grant, ...trial.#claims(grant as Grant | 'looker') })
    await trial.#open()
    return trial
  }

  private constructor(site: Site, listener: Listener, channels: Trial['kinds']) {
    this.#site = site
    this.#listener = listener
    this.#channels = channels
    if (listener === 'none') return
    for (const event of ['subscribe', 'publish'] as const) site.sockets.on(event, answers[listener])
    if (listener !== 'not on broadcast') site.sockets.on('broadcast', answers[listener])
  }

  get kinds(): readonly Pick<Kind, 'rule' | 'filter'>[] {
    return this.#channels
  }

  stop(): Promise<void> {
    return this.#site.stop()
  }

  /** @returns how many combinations there were, and where what is differs from what is right */
  async run(): Promise<{ readonly combinations: number; readonly wrong: readonly string[] }> {
    const users = await Promise.all(GRANTS.map((grant) => this.#user(grant)))
    for (const { step } of users) await step('before')
    await this.#publish('live')
    for (const { step } of users) await step('after')
    for (const { step } of users) await step('write')
    const found = users.flatMap(({ found }) => found)
    const wrong = found.flatMap(([kind, outcome]) =>
      Object.entries(expected(kind)).flatMap(([path, right]) => {
        const [is, ought] = [outcome[path], right].map((value) => JSON.stringify(value))
        return is === ought ? [] : [`${this.#name(kind)}: ${path}: ${is} instead of ${ought}`]
      }),
    )
    return { combinations: found.length, wrong }
  }

  #name({ grant, rule, listener, filter }: Kind): string {
    return `grant ${grant}, rule ${rule}, listener ${listener}, filter ${filter}`
  }

  #claims(grant: Grant | 'looker'): object {
    const messages = { '*': { publish: grant !== 'false', echo: true } }
    const all = { subscribe: true, historyStart: 0, messages }
    const { historyStart: _, ...noStart } = all
    const channels = {
      none: undefined,
      looker: all,
      allow: all,
      false: { ...all, subscribe: false },
      'no start': noStart,
      'start now': { ...all, historyStart: this.#start / 1000 },
    }[grant]
    return channels ? { channels: { '*': channels } } : {}
  }

  async #open(): Promise<void> {
    this.#looker = await this.#peer('looker')
    const [looker] = this.#site.sockets.sockets()
    for (const kind of this.kinds) if (looker) await this.#site.sockets.subscribe(looker, channelOf(kind))
    await this.#publish('old')
    // The clock of ids: what comes from now on is later than what was.
    const now = Date.now()
    await until(() => Date.now() > now + 2)
    this.#start = now + 2
    await this.#publish('new')
  }

  async #peer(grant: Grant | 'looker'): Promise<Peer> {
    const peer = await this.#site.peer()
    const response = await this.#site.askToken({}, `?g=${encodeURIComponent(grant)}`)
    const { token } = (await response.json()) as { token: string }
    await peer.ask({ rpc: 'auth', token, version: 1 })
    return peer
  }

  /** On every channel, and waits until this node has it. */
  async #publish(text: string): Promise<void> {
    for (const kind of this.kinds) {
      await this.#site.sockets.publish(channelOf(kind), { text }, { store: HISTORY.ttl })
      await this.#lookedAt(channelOf(kind), text)
    }
  }

  async #lookedAt(channel: string, text: string): Promise<void> {
    await this.#looker.find((frame) => frame.channel === channel && textOf(frame) === text)
  }

  async #user(grant: Grant) {
    const peer = await this.#peer(grant)
    const found = this.kinds.map(({ rule, filter }): readonly [Kind, Record<string, Outcome>] => [
      { grant, rule, filter, listener: this.#listener },
      {},
    ])
    const one = { before: this.#before, after: this.#after, write: this.#write }
    const step = (name: keyof typeof one) =>
      Promise.all(found.map(([kind, outcome]) => one[name].call(this, new Reader(peer, kind), outcome)))
    return { found, step }
  }

  async #before(reader: Reader, outcome: Record<string, Outcome>): Promise<void> {
    outcome['history, not on it'] = await reader.history()
    outcome.subscribe = !(await reader.subscribe()).error
  }

  async #after(reader: Reader, outcome: Record<string, Outcome>): Promise<void> {
    const { kind } = reader
    await reader.ask('_ping')
    outcome.live = reader.texts()
    outcome['history, on it'] = await reader.history()
    const { epoch, ...notice } = this.#noticeOf(reader)
    for (const offset of [0, 1])
      outcome[`subscribe again, from ${offset}`] = await reader.recover({ epoch, offset })
    const back = new Reader(await this.#peer(kind.grant), kind)
    for (const offset of [0, 1]) outcome[`recovery, from ${offset}`] = await back.recover({ epoch, offset })
    const { proof, offset } = notice
    const proven = { epoch, offset: 1, ...(proof && { proof }) }
    outcome['recovery, from 1, with a proof of 2'] = await back.recover(proven)
    outcome['recovery, from 2, with its proof'] = await back.recover({ ...proven, offset: offset ?? 2 })
  }

  /** Where the user's subscription began; where it may not subscribe, what it could know from others. */
  #noticeOf(reader: Reader): { readonly epoch: string; readonly offset?: number; readonly proof?: string } {
    const [first] = noticesOf(reader.peer.frames, reader.channel)
    const [others] = noticesOf(this.#looker.frames.toReversed(), reader.channel)
    const at = this.#looker.frames.find(({ channel }) => channel === reader.channel) ?? {}
    return { epoch: String(at.epoch ?? others?.epoch), ...(first as { offset?: number; proof?: string }) }
  }

  async #write(reader: Reader, outcome: Record<string, Outcome>): Promise<void> {
    const { channel, kind } = reader
    const by = (what: string) => `${what} by ${kind.grant}`
    const key = { channel, data: { text: by('key') }, key: 'k' }
    const published = await reader.ask('_publish', { channel, data: { text: by('publish') } })
    const [first, second] = [await reader.ask('_publish', key), await reader.ask('_publish', key)]
    const broadcast = await reader.ask('_broadcast', { data: { text: by(`broadcast on ${channel}`) } })
    const end = by('end')
    await this.#site.sockets.publish(channel, { text: end }, { store: HISTORY.ttl })
    await this.#lookedAt(channel, end)
    const count = (text: string) =>
      this.#looker.frames.filter((frame) => frame.channel === channel && textOf(frame) === text).length
    const isOne = (answer: Frame, text: string) => (answer.error === undefined) === (count(text) === 1)
    outcome.publish = isOne(published, by('publish')) ? !published.error : 'answer and deed differ'
    const receipts = JSON.stringify(first.resp) === JSON.stringify(second.resp) ? '1' : '2'
    const isKeyRefused = first.code === 'forbidden' && second.code === 'forbidden' && count(by('key')) === 0
    outcome['publish twice by key'] = isKeyRefused ? 'forbidden' : [`${count(by('key'))}`, receipts]
    const isDone = isOne(broadcast, by(`broadcast on ${channel}`))
    outcome.broadcast = isDone ? !broadcast.error : 'answer and deed differ'
  }
}

/** A connection, as far as one channel is concerned. */
class Reader {
  readonly channel: string

  constructor(
    readonly peer: Peer,
    readonly kind: Kind,
  ) {
    this.channel = channelOf(kind)
  }

  ask(rpc: string, req: object = {}): Promise<Frame> {
    return this.peer.ask({ rpc, req })
  }

  subscribe(more: object = {}): Promise<Frame> {
    return this.ask('_subscribe', { channel: this.channel, ...more })
  }

  async history(): Promise<Outcome> {
    const { code, resp } = await this.ask('_history', { channel: this.channel })
    if (code !== undefined) return String(code)
    const { publications } = resp as { publications: { data: { text: string } }[] }
    return publications.map(({ data }) => data.text)
  }

  /** The texts that came on the channel, from a frame on. */
  texts(since = 0): string[] {
    const frames = this.peer.frames.slice(since)
    return frames.filter(({ channel }) => channel === this.channel).map(textOf)
  }

  /** What it gets from a position on, and whether it is told of a gap. */
  async recover(from: object): Promise<Outcome> {
    const since = this.peer.frames.length
    const { code } = await this.subscribe(from)
    if (code !== undefined) return String(code)
    const [notice] = noticesOf(this.peer.frames.slice(since), this.channel)
    const texts = this.texts(since)
    if (notice?.recovered === false && texts.length === 0 && notice.reason === 'forbidden') return 'gap'
    return notice?.recovered === true ? texts : `recovered: ${notice?.recovered}, ${notice?.reason}, ${texts}`
  }
}

function textOf({ message }: Frame): string {
  return String((message as { text?: unknown } | undefined)?.text)
}

function noticesOf(frames: readonly Frame[], channel: string): Record<string, unknown>[] {
  return frames
    .filter(({ command }) => command === 'subscribe')
    .map(({ data }) => data as Record<string, unknown>)
    .filter((data) => data.channel === channel)
}

/** One test for each kind of listener, with rules and without. */
export function describePermissions(
  name: string,
  makeEngine: () => Engine | Promise<Engine>,
  { listeners, rules, filters }: PermissionTable,
): void {
  describe(`who may read and write what, on ${name}`, function () {
    this.timeout(120_000)
    const sets: readonly (readonly [title: string, rules: readonly Rule[]])[] = [
      ['without rules', rules.filter((rule) => rule === 'absent')],
      ['with rules', rules.filter((rule) => rule !== 'absent')],
    ]
    for (const [title, own] of sets) {
      for (const listener of listeners) {
        it(`is the same on every path: ${title}, listeners: ${listener}`, async () => {
          const kinds = own.flatMap((rule) => filters.map((filter) => ({ rule, filter })))
          const trial = await Trial.start(await makeEngine(), listener, kinds)
          try {
            const { combinations, wrong } = await trial.run()
            expect(wrong).to.deep.equal([])
            expect(combinations).to.equal(kinds.length * GRANTS.length)
          } finally {
            await trial.stop()
          }
        })
      }
    }
  })
}
