import { badOption } from '@token-socket/server/engine'
import {
  createClient,
  type RedisClientOptions,
  type RedisClusterOptions,
  type RedisFunctions,
  type RedisModules,
  type RedisScripts,
  type RedisSentinelOptions,
  type RespVersions,
} from 'redis'
import { settingsOfClient } from './given-client.js'
import { SLOTS } from './slots.js'

/** A client of `createClient` of the package `redis` 6, whose settings are used. */
export interface RedisClientSource {
  /** The client's settings. */
  readonly options?: object | undefined
  /** Clients of ioredis, and of old versions, do not have this method. */
  destroy(): unknown
}

/** Settings of one Redis, as `createClient` of the package `redis` 6 takes them. */
export type StandaloneSettings = RedisClientOptions<RedisModules, RedisFunctions, RedisScripts, RespVersions>

/** Settings of a cluster, as `createCluster` of the package `redis` 6 takes them. */
export type ClusterSettings = Pick<
  RedisClusterOptions<RedisModules, RedisFunctions, RedisScripts, RespVersions>,
  'rootNodes' | 'defaults' | 'nodeAddressMap' | 'RESP'
>

/** Settings of a primary behind sentinels, as `createSentinel` of `redis` 6 takes them. */
export type SentinelSettings = Pick<
  RedisSentinelOptions<RedisModules, RedisFunctions, RedisScripts, RespVersions>,
  'name' | 'sentinelRootNodes' | 'nodeClientOptions' | 'sentinelClientOptions' | 'nodeAddressMap' | 'RESP'
>

/** The used part of a client of the package `redis`, which is connected to one Redis. */
export interface RedisHandle {
  readonly isReady: boolean
  on(event: 'error', listener: (cause: unknown) => void): unknown
  /** A Redis of a cluster no longer has a Redis channel. */
  on(event: 'sharded-channel-moved', listener: (topic: string) => void): unknown
  connect(): Promise<unknown>
  close(): Promise<unknown>
  destroy(): void
  sendCommand(args: readonly string[]): Promise<unknown>
  subscribe(topics: string[], listener: Listener): Promise<void>
  unsubscribe(topics: string[], listener: Listener): Promise<void>
  sSubscribe(topics: string[], listener: Listener): Promise<void>
  sUnsubscribe(topics: string[], listener: Listener): Promise<void>
}

type Listener = (message: string, topic: string) => void

/** The address of a Redis. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Settings of the engine's clients. */
export interface ClientSettings {
  /** The address of Redis, if no other option has one. */
  readonly url: string
  readonly standalone?: StandaloneSettings | undefined
  readonly client?: RedisClientSource | undefined
  readonly cluster?: ClusterSettings | undefined
  readonly sentinel?: SentinelSettings | undefined
  readonly connectTimeout: number
}

/** Commands that may wait for Redis on one connection. A further one fails. */
const PENDING = 100_000

/** Settings of all clients: this package reconnects, not the client. */
const OWN = {
  commandsQueueMaxLength: PENDING,
  disableOfflineQueue: true,
  // The client's own time-out costs a signal for each command, and ends when the command is
  // written. This package has its own.
  commandOptions: { timeout: undefined as unknown as number },
}

/** Milliseconds in which a sentinel may still name the former primary. */
const STALE = 10_000

/** Settings of a client that is connected to one Redis. */
interface NodeSettings {
  readonly url?: string
  readonly socket?: Partial<Address>
}

/** Settings of a client's socket. */
interface SocketSettings extends Partial<Address> {
  readonly connectTimeout: number
  readonly reconnectStrategy: false
  /** Milliseconds without data after which it is closed. */
  readonly socketTimeout?: number
}

type AddressMap = ClusterSettings['nodeAddressMap']

/**
 * Creates clients. Each is connected to one Redis, and never reconnects: `RedisConnection` does,
 * because it knows which operations have to fail, and what has to be restored.
 */
export type RedisSource = OneSource | SentinelSource | ClusterSource

/** @throws RpcError `bad_option`, naming the option */
export function sourceOf(settings: ClientSettings): RedisSource {
  const { url, standalone, client, cluster, sentinel, connectTimeout } = settings
  if (cluster) return new ClusterSource(cluster, connectTimeout)
  if (sentinel) return new SentinelSource(sentinel, connectTimeout)
  if (client !== undefined) return new OneSource(tried('client', settingsOfClient(client)), connectTimeout)
  if (standalone) return new OneSource(tried('standalone', standalone), connectTimeout)
  return new OneSource(tried('url', { url }), connectTimeout)
}

/** Creates clients of the only Redis. */
export class OneSource {
  readonly kind = 'one'
  readonly #settings: StandaloneSettings
  readonly #connectTimeout: number

  constructor(settings: StandaloneSettings, connectTimeout: number) {
    // Includes what the URL contains, such as the database.
    this.#settings = newClient(settings).options ?? settings
    this.#connectTimeout = connectTimeout
  }

  /** The number of its database. */
  get database(): number {
    return databaseOf(this.#settings)
  }

  /** Creates a client that is not connected yet. */
  async open(): Promise<RedisHandle> {
    const socket = socketOf(this.#settings, this.#connectTimeout)
    return newClient({ ...this.#settings, socket })
  }
}

/** Creates clients of the primary that sentinels name. */
export class SentinelSource {
  readonly kind = 'sentinel'
  readonly #settings: SentinelSettings
  readonly #connectTimeout: number
  #primary = ''
  #replaced = { primary: '', at: 0 }

  constructor(settings: SentinelSettings, connectTimeout: number) {
    this.#settings = settings
    this.#connectTimeout = connectTimeout
  }

  get database(): number {
    return databaseOf(this.#settings.nodeClientOptions)
  }

  /** The primary's name at the sentinels. */
  get masterName(): string {
    return this.#settings.name
  }

  /** Returns whether the last client was one of this Redis, which a sentinel names. */
  isMaster(address: Address): boolean {
    return this.#primary === nameOf(this.#map(address))
  }

  /** Another Redis has replaced the one at this address. */
  replace(address: Address): void {
    this.#replaced = { primary: nameOf(this.#map(address)), at: performance.now() }
  }

  /** Creates a client of the primary that is not connected yet. @throws if no sentinel knows it */
  async open(): Promise<RedisHandle> {
    const { nodeClientOptions = {}, RESP } = this.#settings
    const primary = await this.#ask()
    const { primary: old, at } = this.#replaced
    if (nameOf(primary) === old && performance.now() - at < STALE) throw new Error('the sentinel is behind')
    this.#primary = nameOf(primary)
    return openNode({ ...(RESP && { RESP }), ...nodeClientOptions }, primary, this.#connectTimeout)
  }

  /** Creates a client of a sentinel that is not connected yet. */
  openSentinel(): RedisHandle {
    const { sentinelRootNodes, sentinelClientOptions = {} } = this.#settings
    const [address] = shuffle(sentinelRootNodes)
    return openNode(sentinelClientOptions, this.#map(address as Address), this.#connectTimeout)
  }

  async #ask(): Promise<Address> {
    const { sentinelRootNodes, sentinelClientOptions = {}, name } = this.#settings
    const sentinels = sentinelRootNodes.map((address) => ({
      ...sentinelClientOptions,
      socket: { ...sentinelClientOptions.socket, ...this.#map(address) },
    }))
    const read = (answer: unknown) => {
      if (!Array.isArray(answer)) throw new Error(`the sentinel knows no primary ${name}`)
      return this.#map({ host: String(answer[0]), port: Number(answer[1]) })
    }
    const command = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]
    return askAny(sentinels, { command, read }, this.#connectTimeout)
  }

  #map(address: Address): Address {
    return mapped(address, this.#settings.nodeAddressMap)
  }
}

/** Creates clients of each Redis of a cluster. */
export class ClusterSource {
  readonly kind = 'cluster'
  /** A cluster has only this one. */
  readonly database = 0
  readonly #settings: ClusterSettings
  readonly #connectTimeout: number

  constructor(settings: ClusterSettings, connectTimeout: number) {
    this.#settings = settings
    this.#connectTimeout = connectTimeout
  }

  /** Creates a client that is not connected yet. */
  open(address: Address): RedisHandle {
    const { defaults = {}, RESP, nodeAddressMap } = this.#settings
    return openNode(
      { ...(RESP && { RESP }), ...defaults },
      mapped(address, nodeAddressMap),
      this.#connectTimeout,
    )
  }

  /**
   * Returns the primary of each slot.
   * @param known some of its primaries, any of which may be asked
   * @throws if none of them answers
   */
  async readSlots(known: readonly Address[]): Promise<(Address | undefined)[]> {
    const { rootNodes, defaults = {}, nodeAddressMap } = this.#settings
    const others = known.map((address) => ({ socket: mapped(address, nodeAddressMap) }))
    const candidates = [...(rootNodes as readonly NodeSettings[]), ...others].map((root) => ({
      ...defaults,
      ...root,
      socket: { ...defaults.socket, ...root.socket },
    }))
    return askAny(candidates, { command: ['CLUSTER', 'SLOTS'], read: readSlots }, this.#connectTimeout)
  }
}

/**
 * A range in the answer of a Redis of a cluster: the first and the last slot, and their primary.
 */
type SlotRange = readonly [from: number, to: number, primary: readonly [host: string | null, port: number]]

/** @throws if it has none: it was removed from the cluster, or has not joined yet */
function readSlots(answer: unknown, by: Partial<Address>): (Address | undefined)[] {
  const ranges = answer as readonly SlotRange[]
  if (ranges.length === 0) throw new Error('it knows of no slots')
  const slots = Array.from<Address | undefined>({ length: SLOTS })
  for (const [from, to, [host, port]] of ranges) {
    // A Redis without a name of its own has the address at which it was asked.
    const primary = { host: host || (by.host ?? 'localhost'), port: Number(port) }
    slots.fill(primary, Number(from), Number(to) + 1)
  }
  return slots
}

/** A question that several can answer. */
interface Question<Answer> {
  readonly command: readonly string[]
  /** Reads an answer. @throws if it cannot be used: another one may be better */
  read(answer: unknown, by: Partial<Address>): Answer
}

/**
 * Asks those that may know, each time in another order, so that one that never answers is not
 * always the first.
 */
async function askAny<Answer>(
  candidates: readonly NodeSettings[],
  { command, read }: Question<Answer>,
  connectTimeout: number,
): Promise<Answer> {
  let cause: unknown = new Error('there is no one to ask')
  for (const settings of shuffle(candidates)) {
    const socket = briefSocketOf(settings, connectTimeout)
    const client = newClient({ ...settings, socket })
    client.on('error', () => {})
    try {
      await client.connect()
      return read(await client.sendCommand(command), socket)
    } catch (error) {
      cause = error
    } finally {
      destroy(client)
    }
  }
  throw cause
}

/** Destroys a client in any state. Never throws. */
export function destroy(client: Pick<RedisHandle, 'destroy'> | undefined): void {
  try {
    client?.destroy()
  } catch {
    // It is closed already.
  }
}

function openNode(settings: object, { host, port }: Address, connectTimeout: number): RedisHandle {
  return newClient({ ...settings, socket: { ...socketOf(settings, connectTimeout), host, port } })
}

/** The client that others are copied from. */
interface Template {
  duplicate(options: object): unknown
}

/** Creating the class of clients is slow, so it is done once, for all settings. */
let template: Template | undefined

function newClient(settings: object): RedisHandle & { readonly options?: StandaloneSettings } {
  template ??= createClient() as unknown as Template
  return template.duplicate({ ...settings, ...OWN }) as RedisHandle
}

/** @returns the settings, if a client can be created with them. @throws RpcError `bad_option` */
export function tried<Settings extends object>(option: string, settings: Settings): Settings {
  try {
    newClient(settings)
  } catch (cause) {
    throw badOption(option, `cannot be used: ${(cause as Error).message}`)
  }
  return settings
}

function socketOf({ socket }: { readonly socket?: object }, connectTimeout: number): SocketSettings {
  return { ...socket, connectTimeout, reconnectStrategy: false }
}

/**
 * Returns the socket's settings for a single question: a short time-out leaves time to ask others.
 */
function briefSocketOf(settings: NodeSettings, connectTimeout: number): SocketSettings {
  const time = connectTimeout / 5
  return { ...socketOf(settings, time), socketTimeout: time }
}

function databaseOf(options: { readonly database?: number | undefined } | undefined): number {
  return options?.database ?? 0
}

function mapped(address: Address, map: AddressMap): Address {
  const name = nameOf(address)
  return (typeof map === 'function' ? map(name) : map?.[name]) ?? address
}

/** Returns an address as a cluster writes it. */
export function nameOf({ host, port }: Address): string {
  return `${host}:${port}`
}

function shuffle<Item>(items: readonly Item[]): Item[] {
  const order = items.map((item) => ({ item, at: Math.random() }))
  return order.sort((one, other) => one.at - other.at).map(({ item }) => item)
}
