import { badOption } from '@token-socket/server/engine'

/** The members of an application's client that are checked. */
type Members = Readonly<Record<string, unknown>>

/** The value that the option `client` requires. */
const WANTED = 'has to be a client of createClient, of the package redis 6'

/** A command that the package `redis` has since version 6. */
const SINCE_6 = 'arCount'

/**
 * Returns the settings of a client of `createClient` of the package `redis` 6.
 * @throws RpcError `bad_option` for every other value; it names a client's package, its version and
 *   what to pass instead
 */
export function settingsOfClient(client: unknown): object {
  const members = Object(client) as Members
  const other = nameOfOther(members)
  if (other !== undefined)
    throw badOption('client', `${WANTED}; this is ${other}; pass ${remedyFor(members)}`)
  const { options, destroy } = members
  if (typeof destroy !== 'function' || typeof options !== 'object' || options === null)
    throw badOption('client', WANTED)
  return options
}

/** @returns `undefined` for an accepted client, and for a value that is no client */
function nameOfOther(client: Members): string | undefined {
  const has = (...names: readonly string[]) => names.every((name) => typeof client[name] === 'function')
  if (has('defineCommand', 'disconnect')) return `${kindOf(client)} of ioredis ${versionOfIoredis(client)}`
  if (has('close', 'destroy')) {
    const kind = kindOf(client)
    if (!has(SINCE_6)) return `${kind} of redis 5`
    return kind === 'a client' ? undefined : `${kind} of redis 6`
  }
  if (has('quit', 'disconnect')) return `${kindOf(client)} of redis 4`
  return has('quit', 'end') ? 'a client of redis 3 or older' : undefined
}

/**
 * Version 6 made the protocol an option, and accepts names for the fields of hashes, also on
 * clusters.
 */
function versionOfIoredis({ options }: Members): string {
  return Object.hasOwn(Object(options) as object, 'himportFieldsets') ? '6' : '5'
}

function kindOf(client: Members): 'a client' | 'a cluster' | 'a sentinel client' | 'a pool' {
  const { options } = client
  if (isCluster(client)) return 'a cluster'
  if (typeof client.getSentinelNode === 'function' || isOfSentinels(options)) return 'a sentinel client'
  return typeof client.execute === 'function' ? 'a pool' : 'a client'
}

function isCluster(client: Members): boolean {
  return typeof client.nodeClient === 'function' || client.isCluster === true
}

/** ioredis has one class for both. */
function isOfSentinels(options: unknown): boolean {
  const { sentinels } = Object(options) as Members
  return Array.isArray(sentinels) && sentinels.length > 0
}

function remedyFor(client: Members): string {
  const kind = kindOf(client)
  if (kind === 'a cluster') return 'its settings as { cluster: { rootNodes, defaults } }'
  if (kind === 'a sentinel client') return 'its settings as { sentinel: { name, sentinelRootNodes } }'
  return '{ url }, or settings as { standalone: { socket, username, password } }'
}
