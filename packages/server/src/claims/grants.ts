import { PatternTable } from '../patterns/pattern-table.js'
import { BoundedCache } from '../runtime/bounded-cache.js'
import { type ChannelGrant, type Claims, checkChannels, type MessageGrant } from './claims.js'
import { type Decision, mergeDecisions } from './decision.js'

/** What a socket's claims say about one event on one channel. */
export interface MessageRights {
  /** Whether it may publish it; `undefined` if nothing is said. */
  readonly publish: Decision
  /** Whether it receives its own: as claims say, else `false` where they say something about `publish`, else `true`. */
  readonly echo: boolean
  /** Milliseconds that it is kept in the history; 0 if not for its claims' sake. */
  readonly store: number
}

/**
 * How many channels of a socket, and how many events of each, are remembered with what was found about them. Clients
 * choose the names: there are few, so that they cost a socket little memory.
 */
const REMEMBERED = { channels: 64, events: 16 } as const

const NO_MESSAGE: MessageRights = { publish: undefined, echo: true, store: 0 }

/** Who has grants: a socket, or one of its authorizations. */
export interface Granted {
  readonly grants: Grants
}

/**
 * What one socket may do on which channels, by what its claims say. All entries whose pattern means a name count: an
 * explicit `false` beats any `true`, `historyStart` is the earliest, `store` the longest. It never changes.
 */
export class Grants {
  /** Of a socket without claims: nothing is said about any channel. */
  static readonly none = new Grants(undefined)

  readonly #channels: ReadonlyMap<string, ChannelGrant> | undefined
  readonly #table: PatternTable<Entry>
  readonly #rights = new BoundedCache<ChannelRights>(REMEMBERED.channels, (channel) => this.#find(channel))

  /** Whether the user's own claims say nothing about channels. Without channel rules too, every channel is then open. */
  readonly isOpen: boolean

  private constructor(
    channels: ReadonlyMap<string, ChannelGrant> | undefined,
    isOpen = channels === undefined,
  ) {
    this.#channels = channels
    this.isOpen = isOpen
    this.#table = new PatternTable(
      [...(channels ?? [])].map(([name, grant]) => [name, { grant, messages: tableOf(grant) }]),
    )
  }

  /** The grants that claims bring. */
  static of(claims: Claims | undefined): Grants {
    return claims?.channels ? new Grants(claims.channels) : Grants.none
  }

  /** Whether no claims say anything about channels, a channel's own token included. */
  get isEmpty(): boolean {
    return this.#channels === undefined
  }

  /** Whether claims say anything about a channel. */
  covers(channel: string): boolean {
    return this.#rights.get(channel) !== NO_CHANNEL
  }

  /** Whether other grants have the same words about subscribing to a channel. */
  saysTheSame(other: Grants, channel: string): boolean {
    if (other === this) return true
    const [own, others] = [this.#words(channel), other.#words(channel)]
    return own.length === others.length && own.every((verdict, index) => verdict === others[index])
  }

  #words(channel: string): Decision[] {
    return this.#table.matching(channel).map(({ grant }) => grant.subscribe)
  }

  /** The channels that the server is to subscribe the socket to. */
  get autoSubscribe(): string[] {
    return this.#table.names.filter((name) => {
      // Most names ask for nothing: patterns are not tried for them.
      if (!this.#channels?.get(name)?.autoSubscribe) return false
      const { autoSubscribe, subscribe } = this.#find(name)
      return autoSubscribe === true && subscribe === true
    })
  }

  /**
   * These grants and those of a channel's own token: an explicit `false` of either beats a `true`. What was open stays so.
   * @throws RpcError `bad_claims` if they are over the limits of one set of claims together
   */
  add(added: Pick<Claims, 'channels'>): Grants {
    if (!added.channels) return this
    const channels = Grants.merge(this.#channels, added.channels)
    if (!channels) return this
    checkChannels(channels)
    return new Grants(channels, this.isOpen)
  }

  /** Two tables as one: an explicit `false` of either beats a `true`. */
  static merge(
    first: ReadonlyMap<string, ChannelGrant> | undefined,
    second: ReadonlyMap<string, ChannelGrant> | undefined,
  ): ReadonlyMap<string, ChannelGrant> | undefined {
    if (!first || !second) return first ?? second
    const channels = new Map(first)
    for (const [name, grant] of second) {
      const own = channels.get(name)
      channels.set(name, own ? mergeChannels([own, grant]) : grant)
    }
    return channels
  }

  /** Whether the socket may subscribe to the channel; `undefined` if nothing is said. */
  subscribe(channel: string): Decision {
    return this.#rights.get(channel).subscribe
  }

  /** Milliseconds since 1970 from which on it may read the channel's history, 0 for all; `undefined` if nothing is said. */
  historyStart(channel: string): number | undefined {
    return this.#rights.get(channel).historyStart
  }

  /** What it may do with an event. @param event `undefined` for a publication without one: its name is then empty */
  message(channel: string, event: string | undefined): MessageRights {
    return this.#rights.get(channel).messages.get(event ?? '')
  }

  #find(channel: string): ChannelRights {
    const entries = this.#table.matching(channel)
    return entries.length === 0 ? NO_CHANNEL : rightsOf(entries)
  }
}

/** An entry of the claims, its events ready to be looked up. */
interface Entry {
  readonly grant: ChannelGrant
  readonly messages: PatternTable<MessageGrant>
}

/** What all entries that mean a channel say together. */
interface ChannelRights extends Pick<ChannelGrant, 'subscribe' | 'autoSubscribe' | 'historyStart'> {
  readonly messages: Pick<BoundedCache<MessageRights>, 'get'>
}

const NO_CHANNEL: ChannelRights = {
  subscribe: undefined,
  autoSubscribe: undefined,
  historyStart: undefined,
  messages: { get: () => NO_MESSAGE },
}

function tableOf({ messages }: ChannelGrant): PatternTable<MessageGrant> {
  return new PatternTable(messages)
}

function rightsOf(entries: readonly Entry[]): ChannelRights {
  const grants = entries.map(({ grant }) => grant)
  return {
    ...mergeOwn(grants),
    messages: new BoundedCache(REMEMBERED.events, (event) => {
      const found = entries.flatMap(({ messages }) => messages.matching(event))
      return found.length === 0 ? NO_MESSAGE : withDefaults(mergeMessages(found))
    }),
  }
}

function withDefaults({ publish, echo, store }: MessageGrant): MessageRights {
  return { publish, echo: echo ?? publish === undefined, store }
}

/** Several grants for the same pattern as one. */
function mergeChannels(grants: readonly ChannelGrant[]): ChannelGrant {
  const messages = new Map<string, MessageGrant>()
  for (const [event, grant] of grants.flatMap((one) => [...one.messages])) {
    const own = messages.get(event)
    messages.set(event, own ? mergeMessages([own, grant]) : grant)
  }
  return { ...mergeOwn(grants), messages }
}

function mergeOwn(grants: readonly ChannelGrant[]): Omit<ChannelGrant, 'messages'> {
  const starts = grants.flatMap(({ historyStart }) => (historyStart === undefined ? [] : [historyStart]))
  return {
    subscribe: mergeDecisions(grants.map(({ subscribe }) => subscribe)),
    autoSubscribe: mergeDecisions(grants.map(({ autoSubscribe }) => autoSubscribe)),
    historyStart: starts.length === 0 ? undefined : Math.min(...starts),
  }
}

function mergeMessages(grants: readonly MessageGrant[]): MessageGrant {
  return {
    publish: mergeDecisions(grants.map(({ publish }) => publish)),
    echo: mergeDecisions(grants.map(({ echo }) => echo)),
    store: Math.max(...grants.map(({ store }) => store)),
  }
}
