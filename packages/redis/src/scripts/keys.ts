/** The keys of a log: what it is about, and its entries. */
export interface LogKeys {
  readonly meta: string
  readonly entries: string
}

/**
 * A name as a part of a key: two names never have the same. Braces would end the hash tag, white space a word of a
 * message, and halves of surrogate pairs can't be told apart in UTF-8.
 */
export function encodeName(name: string): string {
  return name.replaceAll(/[%{}\s\p{Cc}\p{Cs}]/gu, (character) => {
    return `%${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** The reverse of {@link encodeName}. */
export function decodeName(text: string): string {
  return text.replaceAll(/%([0-9a-f]{4})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
}

/** What belongs to one channel: its keys, all in one hash slot, and the Redis channel that its messages go through. */
export class ChannelKeys {
  /** The Redis channel. */
  readonly topic: string
  /** What the keys begin with. */
  readonly #name: string

  /**
   * @param tag the channel's name, encoded
   * @param suffix what the names of Redis channels end with
   */
  constructor(prefix: string, tag: string, suffix: string) {
    this.#name = `${prefix}{${tag}}`
    this.topic = this.#name + suffix
  }

  /** Its publications. */
  get publications(): LogKeys {
    return this.#log('publications')
  }

  /** The changes of who is there. */
  get changes(): LogKeys {
    return this.#log('changes')
  }

  /** Who is there, and where: the keys of the presence scripts, in their order. */
  get presence(): string[] {
    const { meta, entries } = this.changes
    const own = ['members', 'places', 'leases', 'graces'].map((name) => `${this.#name}:${name}`)
    return [...own, meta, entries]
  }

  /** The receipt of the publication with an idempotency key. */
  receipt(key: string): string {
    return `${this.#name}:key:${encodeName(key)}`
  }

  /** The receipt of a publication that is known by nothing but this. No idempotency key is like it. */
  attempt(name: string): string {
    return `${this.#name}:attempt:${name}`
  }

  #log(name: string): LogKeys {
    return { meta: `${this.#name}:${name}`, entries: `${this.#name}:${name}:log` }
  }
}

/** The names of everything that an engine has in Redis. */
export class Keys {
  readonly #prefix: string
  readonly #suffix: string

  /** @param database its number: a Redis has keys in each of its databases, but one set of Redis channels for all */
  constructor(prefix: string, database: number) {
    this.#prefix = prefix
    this.#suffix = database === 0 ? '' : `@${database}`
  }

  /** What nodes tell each other. No channel's encoded name looks like it. */
  get control(): ChannelKeys {
    return new ChannelKeys(this.#prefix, '%control', this.#suffix)
  }

  /** Names what Redis holds. */
  get store(): string {
    return `${this.#prefix}{%store}`
  }

  /** Is written to find out whether that works; where the store's name is. */
  get probe(): string {
    return `${this.store}:probe`
  }

  /** The tickets that wait, by the time at which they are gone. */
  get tickets(): string {
    return `${this.#prefix}{%tickets}`
  }

  /** The nodes that live. */
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

  /** The tickets of an owner, by the time at which they are gone. No ticket has such a key. */
  ticketOwner(name: string): string {
    return `${this.#prefix}{%tickets}%owner:${encodeName(name)}`
  }

  /** The idempotency keys of one owner, by the time at which they came. */
  keysOf(owner: string): string {
    return `${this.#prefix}keys:${encodeName(owner)}`
  }

  /** What is left of a rate that all nodes share. */
  rate(name: string): string {
    return `${this.#prefix}rate:${encodeName(name)}`
  }

  claim(id: string): string {
    return `${this.#prefix}claim:${encodeName(id)}`
  }
}
