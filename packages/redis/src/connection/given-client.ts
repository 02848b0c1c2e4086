import { badOption } from '@token-socket/server/engine'

/** What is looked at of a client that an application gives. */
type Members = Readonly<Record<string, unknown>>

/** What the option `client` takes. */
const WANTED = 'has to be a client of createClient, of the package redis 6'

/** A command of the package `redis` since version 6. */
const SINCE_6 = 'arCount'

/**
 * The settings of a client that `createClient` of the package `redis` 6 has made.
 * @throws RpcError `bad_option` for every other value; it names the package of a client, its
 *   version and what to give instead
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

/** @returns `undefined` for a client that is taken, and for what is no client at all */
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

/** Version 6 made the protocol an option, and lets clusters, too, name the fields of hashes. */
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
