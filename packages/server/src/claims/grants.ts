import { PatternTable } from '../patterns/pattern-table.js'
import { BoundedCache } from '../runtime/bounded-cache.js'
import { type ChannelGrant, type Claims, checkChannels, type MessageGrant } from './claims.js'
import { type Decision, mergeDecisions } from './decision.js'

/** What a socket's claims state about one event on one channel. */
export interface MessageRights {
  /** Whether it may publish the event; `undefined` if undecided. */
  readonly publish: Decision
  /**
   * Whether it receives its own publications: as claims state, else `false` if they state something
   * about `publish`, else `true`.
   */
  readonly echo: boolean
  /** Milliseconds that its publications are kept in the history; 0 if the claims ask for none. */
  readonly store: number
}

/**
 * How many channels of a socket, and events of each, are cached with their rights. Clients choose
 * the names, so the numbers are small to bound memory.
 */
const REMEMBERED = { channels: 64, events: 16 } as const

const NO_MESSAGE: MessageRights = { publish: undefined, echo: true, store: 0 }

/** An owner of grants: a socket, or one of its authorizations. */
export interface Granted {
  readonly grants: Grants
}

/**
 * What claims allow one socket to do on which channels. All entries whose pattern matches a name
 * count: an explicit `false` beats any `true`, `historyStart` is the earliest, `store` the longest.
 * Immutable.
 */
export class Grants {
  /** The grants of a socket without claims, which state nothing about any channel. */
  static readonly none = new Grants(undefined)

  readonly #channels: ReadonlyMap<string, ChannelGrant> | undefined
  readonly #table: PatternTable<Entry>
  readonly #rights = new BoundedCache<ChannelRights>(REMEMBERED.channels, (channel) => this.#find(channel))

  /**
   * Whether the user's own claims state nothing about channels. Without channel rules, every
   * channel is then open.
   */
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

  /** Returns the grants of claims. */
  static of(claims: Claims | undefined): Grants {
    return claims?.channels ? new Grants(claims.channels) : Grants.none
  }

  /** Whether no claims state anything about channels, including a channel's own token. */
  get isEmpty(): boolean {
    return this.#channels === undefined
  }

  /** Returns whether claims state anything about a channel. */
  covers(channel: string): boolean {
    return this.#rights.get(channel) !== NO_CHANNEL
  }

  /** Returns whether other grants state the same about subscribing to a channel. */
  saysTheSame(other: Grants, channel: string): boolean {
    if (other === this) return true
    const [own, others] = [this.#words(channel), other.#words(channel)]
    return own.length === others.length && own.every((verdict, index) => verdict === others[index])
  }

  #words(channel: string): Decision[] {
    return this.#table.matching(channel).map(({ grant }) => grant.subscribe)
  }

  /** The channels that the server subscribes the socket to. */
  get autoSubscribe(): string[] {
    return this.#table.names.filter((name) => {
      // Most names have no `autoSubscribe`: do not try patterns for them.
      if (!this.#channels?.get(name)?.autoSubscribe) return false
      const { autoSubscribe, subscribe } = this.#find(name)
      return autoSubscribe === true && subscribe === true
    })
  }

  /**
   * Merges these grants with those of a channel's own token: an explicit `false` of either beats a
   * `true`. Open channels stay open.
   * @throws RpcError `bad_claims` if together they exceed the limits of one set of claims
   */
  add(added: Pick<Claims, 'channels'>): Grants {
    if (!added.channels) return this
    const channels = Grants.merge(this.#channels, added.channels)
    if (!channels) return this
    checkChannels(channels)
    return new Grants(channels, this.isOpen)
  }

  /** Merges two tables: an explicit `false` of either beats a `true`. */
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

  /** Whether the socket may subscribe to the channel; `undefined` if undecided. */
  subscribe(channel: string): Decision {
    return this.#rights.get(channel).subscribe
  }

  /**
   * Milliseconds since 1970 from which on it may read the channel's history, 0 for all; `undefined`
   * if undecided.
   */
  historyStart(channel: string): number | undefined {
    return this.#rights.get(channel).historyStart
  }

  /**
   * Returns the rights for an event.
   * @param event `undefined` for a publication without an event, whose name is then empty
   */
  message(channel: string, event: string | undefined): MessageRights {
    return this.#rights.get(channel).messages.get(event ?? '')
  }

  #find(channel: string): ChannelRights {
    const entries = this.#table.matching(channel)
    return entries.length === 0 ? NO_CHANNEL : rightsOf(entries)
  }
}

/** An entry of the claims, with its events ready for lookup. */
interface Entry {
  readonly grant: ChannelGrant
  readonly messages: PatternTable<MessageGrant>
}

/** The merged rights of all entries that match a channel. */
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

/** Merges several grants for the same pattern. */
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
