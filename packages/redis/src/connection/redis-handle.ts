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

/** A client that `createClient` of the package `redis` 6 has made: its settings are taken. */
export interface RedisClientSource {
  /** The client's settings. */
  readonly options?: object | undefined
  /** Clients of ioredis, and of old versions, have none. */
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

/** What is used of a client of the package `redis`, which is connected to one Redis. */
export interface RedisHandle {
  readonly isReady: boolean
  on(event: 'error', listener: (cause: unknown) => void): unknown
  /** A Redis of a cluster has given a Redis channel away. */
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

/** Where a Redis listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Where clients come from, and what they are told. */
export interface ClientSettings {
  /** Where Redis is, if nothing else says so. */
  readonly url: string
  readonly standalone?: StandaloneSettings | undefined
  readonly client?: RedisClientSource | undefined
  readonly cluster?: ClusterSettings | undefined
  readonly sentinel?: SentinelSettings | undefined
  readonly connectTimeout: number
}

/** Commands that may wait for Redis on one connection; the next fails. */
const PENDING = 100_000

/** What all that this package connects to is told: it is for the package to connect anew. */
const OWN = {
  commandsQueueMaxLength: PENDING,
  disableOfflineQueue: true,
  // Its own time-out costs a signal for each command and ends when the command is written; ours goes on.
  commandOptions: { timeout: undefined as unknown as number },
}

/** Milliseconds in which a sentinel may still name the primary that was replaced. */
const STALE = 10_000

/** Settings of a client that is connected to one Redis. */
interface NodeSettings {
  readonly url?: string
  readonly socket?: Partial<Address>
}

/** What a client is told of its socket. */
interface SocketSettings extends Partial<Address> {
  readonly connectTimeout: number
  readonly reconnectStrategy: false
  /** Milliseconds of silence after which it is given up. */
  readonly socketTimeout?: number
}

type AddressMap = ClusterSettings['nodeAddressMap']

/**
 * Where clients come from. Each is connected to one Redis and never reconnects by itself: `Connection` does, as it knows what
 * has to fail meanwhile and what has to be made good afterwards.
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

/** Clients of the one Redis there is. */
export class OneSource {
  readonly kind = 'one'
  readonly #settings: StandaloneSettings
  readonly #connectTimeout: number

  constructor(settings: StandaloneSettings, connectTimeout: number) {
    // With what stands in a URL, such as the database.
    this.#settings = newClient(settings).options ?? settings
    this.#connectTimeout = connectTimeout
  }

  /** The number of its database that is used. */
  get database(): number {
    return databaseOf(this.#settings)
  }

  /** Makes a client that is not connected yet. */
  async open(): Promise<RedisHandle> {
    const socket = socketOf(this.#settings, this.#connectTimeout)
    return newClient({ ...this.#settings, socket })
  }
}

/** Clients of the primary that sentinels name. */
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

  /** By which the sentinels know it. */
  get masterName(): string {
    return this.#settings.name
  }

  /** Whether the last client was one of this Redis, which a sentinel names. */
  isMaster(address: Address): boolean {
    return this.#primary === nameOf(this.#map(address))
  }

  /** Another Redis has taken the place of this one. */
  replace(address: Address): void {
    this.#replaced = { primary: nameOf(this.#map(address)), at: performance.now() }
  }

  /** Makes a client of the primary that is not connected yet. @throws if no sentinel knows it */
  async open(): Promise<RedisHandle> {
    const { nodeClientOptions = {}, RESP } = this.#settings
    const primary = await this.#ask()
    const { primary: old, at } = this.#replaced
    if (nameOf(primary) === old && performance.now() - at < STALE) throw new Error('the sentinel is behind')
    this.#primary = nameOf(primary)
    return openNode({ ...(RESP && { RESP }), ...nodeClientOptions }, primary, this.#connectTimeout)
  }

  /** Makes a client of one of the sentinels that is not connected yet. */
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

/** Clients of each Redis of a cluster. */
export class ClusterSource {
  readonly kind = 'cluster'
  /** There are no others in a cluster. */
  readonly database = 0
  readonly #settings: ClusterSettings
  readonly #connectTimeout: number

  constructor(settings: ClusterSettings, connectTimeout: number) {
    this.#settings = settings
    this.#connectTimeout = connectTimeout
  }

  /** Makes a client that is not connected yet. */
  open(address: Address): RedisHandle {
    const { defaults = {}, RESP, nodeAddressMap } = this.#settings
    return openNode(
      { ...(RESP && { RESP }), ...defaults },
      mapped(address, nodeAddressMap),
      this.#connectTimeout,
    )
  }

  /**
   * The primary of each slot.
   * @param known of its primaries: any may be asked
   * @throws if none of those that may be asked answers
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

/** What a Redis of a cluster says of some slots: the first and the last, and who has them. */
type SlotRange = readonly [from: number, to: number, primary: readonly [host: string | null, port: number]]

/** @throws if it knows of none: it was taken out of the cluster, or has not been let in yet */
function readSlots(answer: unknown, by: Partial<Address>): (Address | undefined)[] {
  const ranges = answer as readonly SlotRange[]
  if (ranges.length === 0) throw new Error('it knows of no slots')
  const slots = Array.from<Address | undefined>({ length: SLOTS })
  for (const [from, to, [host, port]] of ranges) {
    // Who does not know its own name is where it was asked.
    const primary = { host: host || (by.host ?? 'localhost'), port: Number(port) }
    slots.fill(primary, Number(from), Number(to) + 1)
  }
  return slots
}

/** Something that more than one can be asked. */
interface Question<Answer> {
  readonly command: readonly string[]
  /** Reads what one has answered. @throws if that is of no use: another may know better */
  read(answer: unknown, by: Partial<Address>): Answer
}

/** Asks those who may know, each time in another order: one that says nothing must not be the first for ever. */
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

/** Ends a client, whatever state it is in. Never throws. */
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

/** What settings make clients of. */
interface Template {
  duplicate(options: object): unknown
}

/** Making the class of clients takes long: it is made once, whatever settings its clients have. */
let template: Template | undefined

function newClient(settings: object): RedisHandle & { readonly options?: StandaloneSettings } {
  template ??= createClient() as unknown as Template
  return template.duplicate({ ...settings, ...OWN }) as RedisHandle
}

/** @returns the settings, if a client can be made of them. @throws RpcError `bad_option` */
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

/** For a connection on which one question is asked: there has to be time to ask others. */
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

/** An address as a cluster writes it. */
export function nameOf({ host, port }: Address): string {
  return `${host}:${port}`
}

function shuffle<Item>(items: readonly Item[]): Item[] {
  const order = items.map((item) => ({ item, at: Math.random() }))
  return order.sort((one, other) => one.at - other.at).map(({ item }) => item)
}
