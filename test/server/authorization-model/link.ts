/** One connection of a client of the model, and what the documents let it expect. */

import type { TestConnection } from '@token-socket/protocol/testing'
import { hashSession } from '#server/claims/subjects.js'
import type { Member, Notice, Place } from './places.js'
import { CHANNELS, mayReceive, type Rights } from './rights.js'
import type { ModelToken } from './tokens.js'

/** A frame of the server. */
export interface Frame {
  readonly rpc?: string
  readonly uuid?: string
  readonly code?: string
  readonly error?: unknown
  readonly resp?: unknown
  readonly sid?: string
  readonly umd?: { readonly v: number }
  readonly command?: string
  readonly channel?: string
  readonly message?: { readonly n: number }
  readonly epoch?: string
  readonly offset?: number
  readonly data?: Notice & Member & { readonly change: string }
}

/** What a request came to; `isLost` if the connection has ended before the answer. */
export interface Answer {
  readonly code: string | undefined
  readonly resp?: unknown
  readonly isLost: boolean
  /** When it came: which versions may have counted, and how many there had been. */
  readonly valid: readonly InForce[]
  readonly count: number
}

/** What a version is, once the client was told that it holds. */
export interface InForce {
  readonly rights: Rights
  /** What the socket has brought: several while the answer to a refresh is not there. */
  readonly brought: readonly Brought[]
}

/** The token that a socket has brought, and its session. */
export interface Brought {
  readonly token: ModelToken
  /** Its hash. */
  readonly session: string | undefined
}

/** What a {@link Link} looks up. */
export interface LinkOwner {
  readonly listens: boolean
  /** The places of its client. */
  place(channel: string): Place
  rights(id: number): Rights
  token(id: number): ModelToken | undefined
  /** How many publications of a channel were accepted up to one. */
  accepted(channel: string, n: number): number
  complain(link: Link, text: string): void
  note(text: string): void
  /** It was let in. */
  opened(link: Link): void
  /** Its connection is gone. */
  closed(link: Link): void
  /** It was asked for a new token. */
  renew(link: Link): void
}

/** What a client knows, and may expect, of one channel. */
export class Expectation {
  /** Requests to subscribe that are under way. */
  subscribing = 0
  /** Unsubscribes of the client and the server so far, and how many notices of one have come. */
  endings = 0
  ended = 0
  /** Endings that are not done yet. */
  ending = 0
  /** The server may have subscribed it; it certainly has. */
  mayBeOwn = false
  isOwn = false
  /** A token for the channel may count; it certainly does. */
  mayHaveToken = false
  hasToken = false
  /** The claims have gained it for `autoSubscribe`, and nothing has ended that. */
  isAutomatic = false
}

const LOST: Answer = { code: undefined, isLost: true, valid: [], count: 0 }

export class Link {
  state: 'joining' | 'open' | 'closed' = 'joining'
  sid = ''
  /** All versions, in the order in which they came into force. */
  readonly versions: InForce[] = []
  /** The tokens of refreshes that are not answered, by request. */
  readonly #refreshes = new Map<string, ModelToken>()
  /** Since which one they may still count: what is older was superseded by one that is acknowledged. */
  acknowledged = 0
  renewals = 0
  closedWith: number | undefined
  readonly channels = new Map(CHANNELS.map((channel) => [channel as string, new Expectation()]))
  readonly #waiting = new Map<string, (answer: Answer) => void>()
  #lastId = 0

  constructor(
    readonly name: string,
    readonly uid: string,
    readonly token: ModelToken,
    readonly connection: TestConnection,
    readonly owner: LinkOwner,
  ) {
    connection.listen({
      message: (text) => this.#take(JSON.parse(String(text)) as Frame),
      closed: (code) => this.#closed(code),
    })
  }

  get current(): InForce | undefined {
    return this.versions.at(-1)
  }

  /** How many refreshes are not answered. */
  get refreshing(): number {
    return this.#refreshes.size
  }

  /** What it has brought: all that is possible. */
  get brought(): readonly Brought[] {
    return this.current?.brought ?? [broughtBy(this.token)]
  }

  /** The versions that may still count. */
  get valid(): readonly InForce[] {
    return this.versions.slice(this.acknowledged)
  }

  on(channel: string): Expectation {
    return this.channels.get(channel) as Expectation
  }

  /** Whether one of some versions allows to receive a channel. */
  some(versions: readonly InForce[], channel: string): boolean {
    const hasToken = this.on(channel).mayHaveToken
    const { listens } = this.owner
    return versions.some(({ rights }) => mayReceive(rights, channel, { listens, hasToken }))
  }

  /** Whether every one of them certainly does. */
  every(versions: readonly InForce[], channel: string): boolean {
    const { hasToken } = this.on(channel)
    const { listens } = this.owner
    return versions.every(({ rights }) => mayReceive(rights, channel, { listens, hasToken }))
  }

  /** Brings the token. */
  signIn(): Promise<Answer> {
    this.token.tries += 1
    return this.#send('auth', { token: this.token.text, version: 1, can: ['refresh'] })
  }

  /** Asks for something. */
  ask(rpc: string, req: object): Promise<Answer> {
    return this.#send(rpc, { req })
  }

  /** Brings a new token. */
  refresh(token: ModelToken): Promise<Answer> {
    token.tries += 1
    const answer = this.ask('_refresh', { token: token.text })
    this.#refreshes.set(`${this.#lastId}`, token)
    return answer
  }

  /** The client leaves, or its connection breaks. */
  leave(code: number): void {
    this.connection.close(code, '')
  }

  complain(text: string): void {
    this.owner.complain(this, text)
  }

  #send(rpc: string, fields: object): Promise<Answer> {
    this.#lastId += 1
    const uuid = `${this.#lastId}`
    if (this.state === 'closed') return Promise.resolve(LOST)
    return new Promise((resolve) => {
      this.#waiting.set(uuid, resolve)
      this.connection.send([JSON.stringify({ rpc, uuid, ...fields })])
    })
  }

  #take(frame: Frame): void {
    if (this.state === 'closed') this.complain(`got ${JSON.stringify(frame)} after it was closed`)
    if (frame.rpc !== undefined) return this.#answered(frame)
    const { command, data } = frame
    if (command === undefined) return this.#published(frame)
    if (!data) return
    const { channel } = data
    if (command === 'session') return this.#holds(data.umd?.v)
    if (command === 'renew') {
      this.renewals += 1
      return this.owner.renew(this)
    }
    if (command === 'subscribe') return this.#entered(data)
    if (command === 'unsubscribe') return this.#left(channel, data.reason)
    if (command === 'presence') return this.#changed(channel, data)
    if (command === 'position') return this.#moved(channel, data)
  }

  #answered({ rpc, uuid = '', code, error, resp, sid = '', umd }: Frame): void {
    if (rpc === 'auth' && error === undefined) {
      this.state = 'open'
      this.sid = sid
      this.#holds(umd?.v)
      this.owner.opened(this)
    }
    const resolve = this.#waiting.get(uuid)
    this.#waiting.delete(uuid)
    const refusal = error === undefined ? undefined : String(code ?? error)
    const token = this.#refreshes.get(uuid)
    this.#refreshes.delete(uuid)
    if (token) this.#refreshed(token, refusal === undefined)
    const { valid, versions } = this
    resolve?.({ code: refusal, resp, isLost: false, valid, count: versions.length })
  }

  #closed(code: number): void {
    if (this.state === 'closed') return
    this.owner.note(`${this.name}: closed ${code}`)
    this.state = 'closed'
    this.closedWith = code
    for (const channel of CHANNELS) this.owner.place(channel).lose()
    for (const resolve of this.#waiting.values()) resolve(LOST)
    this.#waiting.clear()
    this.owner.closed(this)
  }

  /** The client is told that a version holds. */
  #holds(id: number | undefined): void {
    if (id === undefined) return this.complain('was told of no version')
    const rights = this.owner.rights(id)
    const before = this.current
    this.versions.push({ rights, brought: this.#broughtFor(id) })
    this.owner.note(`${this.name}: version ${id}`)
    if (rights.uid !== this.uid) this.complain(`became ${rights.uid}`)
    for (const [channel, expected] of this.channels) {
      const isNew = rights.auto.has(channel) && !before?.rights.auto.has(channel)
      const may = rights.auto.has(channel) && this.every([this.versions.at(-1) as InForce], channel)
      expected.isAutomatic = may && (expected.isAutomatic || isNew) && expected.ending === 0
    }
  }

  /** A version of a token is of that one; one of the server is of before, or of a token that it holds for. */
  #broughtFor(id: number): readonly Brought[] {
    const token = this.owner.token(id)
    const before = this.brought
    if (token) return [broughtBy(token, before[0])]
    return [...before, ...[...this.#refreshes.values()].map((one) => broughtBy(one, before[0]))]
  }

  /** A refresh was answered: its token counts from then on, or does not. */
  #refreshed(token: ModelToken, hasWorked: boolean): void {
    const { current } = this
    if (!current) return
    const [first, ...others] = current.brought
    const rest = others.filter((one) => one.token !== token)
    const brought = hasWorked ? [broughtBy(token, first)] : [first as Brought, ...rest]
    this.versions[this.versions.length - 1] = { ...current, brought }
  }

  #entered(data: Notice): void {
    const { channel, reason } = data
    const place = this.owner.place(channel)
    this.owner.note(`${this.name}: on ${channel} ${JSON.stringify({ ...data, channel: undefined })}`)
    this.#check(place.enter(data), channel)
    if (!this.some(this.valid, channel) && !this.on(channel).mayBeOwn)
      this.complain(`was let on ${channel} by an older version`)
    if (reason === 'forbidden' && this.versions.every(({ rights }) => rights.readsHistory))
      this.complain(`has a gap on ${channel}, and may read its history`)
    const isMember = data.members && data.members.length > 0
    if (isMember) this.#checkPresence(channel)
  }

  #left(channel: string, reason: string | undefined): void {
    this.owner.note(`${this.name}: off ${channel} ${reason ?? ''}`)
    const expected = this.on(channel)
    const place = this.owner.place(channel)
    if (reason !== 'revoked') {
      expected.ended += 1
      if (expected.ended > expected.endings) this.complain(`lost ${channel} for nothing`)
    } else if (this.current && this.every([this.current], channel))
      this.complain(`lost ${channel} as revoked, and may have it`)
    else if (expected.isOwn) this.complain(`lost ${channel} as revoked, which the server gave it`)
    place.lose()
  }

  #published(frame: Frame): void {
    const { channel = '', message, offset } = frame
    const n = message?.n ?? 0
    this.owner.note(`${this.name}: ${n} on ${channel}`)
    if (!this.some(this.valid, channel) && !this.on(channel).mayBeOwn)
      this.complain(`received ${n} on ${channel}, which only an older version allowed`)
    if (offset !== undefined) return this.#moved(channel, frame)
    this.#check(this.owner.place(channel).take(this.owner.accepted(channel, n)), channel)
  }

  #moved(channel: string, position: Pick<Frame, 'epoch' | 'offset'>): void {
    this.#check(this.owner.place(channel).move(position), channel)
  }

  #changed(channel: string, data: Member & { readonly change: string }): void {
    this.owner.note(`${this.name}: ${data.uid} ${data.change} ${data.umd?.v ?? ''}`)
    if (!this.owner.place(channel).isOn) this.complain(`heard who is on ${channel} while it was off`)
    this.#checkPresence(channel)
    this.owner.place(channel).change(data.change, data)
  }

  #checkPresence(channel: string): void {
    if (!this.valid.some(({ rights }) => rights.isPresent))
      this.complain(`heard who is on ${channel}, which only an older version allowed`)
  }

  #check(wrong: string | undefined, channel: string): void {
    if (wrong !== undefined) this.complain(`${wrong} (${channel})`)
  }
}

/** What a token brings: its own session, or that of before. */
function broughtBy(token: ModelToken, before?: Brought): Brought {
  return { token, session: token.session === undefined ? before?.session : hashSession(token.session) }
}
