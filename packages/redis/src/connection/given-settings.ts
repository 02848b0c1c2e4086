import { badOption, type Logger, warnOfUnknown } from '@token-socket/server/engine'

/** The engine's options that are checked. */
interface Given {
  readonly url?: unknown
  readonly standalone?: unknown
  readonly client?: unknown
  readonly cluster?: unknown
  readonly sentinel?: unknown
}

/** The options with the address of Redis. Only one of them is allowed. */
const WAYS = ['url', 'standalone', 'client', 'cluster', 'sentinel'] as const

/** The accepted names of settings. Others of the package `redis` have no effect here. */
const KNOWN = {
  cluster: ['rootNodes', 'defaults', 'nodeAddressMap', 'RESP'],
  sentinel: [
    'name',
    'sentinelRootNodes',
    'nodeClientOptions',
    'sentinelClientOptions',
    'nodeAddressMap',
    'RESP',
  ],
}

/**
 * Checks the options with the address of Redis, without connecting.
 * @param tryOut throws `bad_option` if no client can be created with settings
 * @throws RpcError `bad_option`, naming the option
 */
export function checkWays(given: Given, tryOut: (option: string, settings: object) => unknown): void {
  const [first, other] = WAYS.filter((name) => given[name] !== undefined)
  if (first && other) throw badOption(first, `cannot be given beside ${other}`)
  const { standalone, cluster, sentinel } = given
  if (standalone !== undefined) checkObject('standalone', standalone)
  if (cluster !== undefined) checkCluster(checkObject('cluster', cluster), tryOut)
  if (sentinel !== undefined) checkSentinel(checkObject('sentinel', sentinel), tryOut)
}

/** Logs a warning for each unknown setting. */
export function warnOfSettings(logger: Pick<Logger, 'warn'>, given: Given): void {
  for (const name of ['cluster', 'sentinel'] as const) {
    const options = given[name]
    if (options) warnOfUnknown(logger, { options, known: KNOWN[name], of: `${name}.` })
  }
}

type Settings = Readonly<Record<string, unknown>>

function checkCluster(
  { rootNodes, defaults }: Settings,
  tryOut: (option: string, settings: object) => unknown,
): void {
  for (const root of checkList('cluster.rootNodes', rootNodes)) {
    const settings = checkObject('cluster.rootNodes', root)
    if (settings.url === undefined && settings.socket === undefined)
      throw badOption('cluster.rootNodes', 'has to be a list such as [{ url: "redis://10.0.0.1:6379" }]')
    tryOut('cluster.rootNodes', settings)
  }
  if (defaults !== undefined) tryOut('cluster.defaults', checkObject('cluster.defaults', defaults))
}

function checkSentinel(
  { name, sentinelRootNodes, nodeClientOptions, sentinelClientOptions }: Settings,
  tryOut: (option: string, settings: object) => unknown,
): void {
  if (typeof name !== 'string' || name === '')
    throw badOption('sentinel.name', 'has to be the name by which the sentinels know the primary')
  for (const root of checkList('sentinel.sentinelRootNodes', sentinelRootNodes)) {
    const { host, port } = Object(root) as Settings
    if (typeof host !== 'string' || host === '' || typeof port !== 'number')
      throw badOption(
        'sentinel.sentinelRootNodes',
        'has to be a list such as [{ host: "10.0.0.1", port: 26379 }]',
      )
  }
  for (const [field, settings] of Object.entries({ nodeClientOptions, sentinelClientOptions }))
    if (settings !== undefined) tryOut(`sentinel.${field}`, checkObject(`sentinel.${field}`, settings))
}

function checkList(field: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0)
    throw badOption(field, 'has to be a list that is not empty')
  return value
}

/** Clients are objects, too, but their settings are not their properties. */
function checkObject(field: string, value: unknown): Settings {
  const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isPlain || typeof (value as Settings).duplicate === 'function')
    throw badOption(field, 'has to be an object of settings, not a client')
  return value as Settings
}
