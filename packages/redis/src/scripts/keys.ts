/** The keys of a log: its state, and its entries. */
export interface LogKeys {
  readonly meta: string
  readonly entries: string
}

/**
 * Encodes a name as a part of a key. Different names give different texts. Braces would end the
 * hash tag, and white space a word of a message. Lone surrogates all have the same UTF-8.
 */
export function encodeName(name: string): string {
  return name.replaceAll(/[%{}\s\p{Cc}\p{Cs}]/gu, (character) => {
    return `%${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** Decodes a name of {@link encodeName}. */
export function decodeName(text: string): string {
  return text.replaceAll(/%([0-9a-f]{4})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
}

/**
 * The names of one channel in Redis: its keys, all in one hash slot, and the Redis channel of its
 * messages.
 */
export class ChannelKeys {
  /** The Redis channel. */
  readonly topic: string
  /** The prefix of the keys. */
  readonly #name: string

  /**
   * @param tag the channel's name, encoded
   * @param suffix the suffix of Redis channels
   */
  constructor(prefix: string, tag: string, suffix: string) {
    this.#name = `${prefix}{${tag}}`
    this.topic = this.#name + suffix
  }

  /** The log of publications. */
  get publications(): LogKeys {
    return this.#log('publications')
  }

  /** The log of changes of members. */
  get changes(): LogKeys {
    return this.#log('changes')
  }

  /** The members and their presence entries: the keys of the presence scripts, in their order. */
  get presence(): string[] {
    const { meta, entries } = this.changes
    const own = ['members', 'places', 'leases', 'graces'].map((name) => `${this.#name}:${name}`)
    return [...own, meta, entries]
  }

  /** The receipt of the publication with an idempotency key. */
  receipt(key: string): string {
    return `${this.#name}:key:${encodeName(key)}`
  }

  /**
   * The receipt of a publication that only this name identifies. No idempotency key has such a
   * name.
   */
  attempt(name: string): string {
    return `${this.#name}:attempt:${name}`
  }

  #log(name: string): LogKeys {
    return { meta: `${this.#name}:${name}`, entries: `${this.#name}:${name}:log` }
  }
}

/** The names of all keys and channels of an engine in Redis. */
export class Keys {
  readonly #prefix: string
  readonly #suffix: string

  /**
   * @param database its number: a Redis has keys in each of its databases, but one set of Redis
   *   channels for all
   */
  constructor(prefix: string, database: number) {
    this.#prefix = prefix
    this.#suffix = database === 0 ? '' : `@${database}`
  }

  /** Messages between nodes. No channel's encoded name equals it. */
  get control(): ChannelKeys {
    return new ChannelKeys(this.#prefix, '%control', this.#suffix)
  }

  /** The key of the name of the data in Redis. */
  get store(): string {
    return `${this.#prefix}{%store}`
  }

  /** A key to test writes, in the slot of the store's name. */
  get probe(): string {
    return `${this.store}:probe`
  }

  /** The unused tickets, by the time at which they expire. */
  get tickets(): string {
    return `${this.#prefix}{%tickets}`
  }

  /** The living nodes. */
  get nodes(): string {
    return `${this.#prefix}{%nodes}`
  }

  /** The Redis channel of a node. */
  node(id: string): string {
    return `${this.#prefix}{%node}:${id}${this.#suffix}`
  }

  channel(name: string): ChannelKeys {
    return new ChannelKeys(this.#prefix, encodeName(name), this.#suffix)
  }

  ticket(id: string): string {
    return `${this.tickets}:${encodeName(id)}`
  }

  /** The tickets of an owner, by the time at which they expire. No ticket has such a key. */
  ticketOwner(name: string): string {
    return `${this.#prefix}{%tickets}%owner:${encodeName(name)}`
  }

  /** The idempotency keys of one owner, by the time at which they were added. */
  keysOf(owner: string): string {
    return `${this.#prefix}keys:${encodeName(owner)}`
  }

  /** The bucket of a rate that all nodes share. */
  rate(name: string): string {
    return `${this.#prefix}rate:${encodeName(name)}`
  }

  claim(id: string): string {
    return `${this.#prefix}claim:${encodeName(id)}`
  }
}
