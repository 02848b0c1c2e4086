import { RpcError } from '@token-socket/protocol'
import type { MiddlewareContext, TokenSocketServer } from '@token-socket/server'
import type { ChannelDefinitions } from '../channel-definitions.js'
import type { ChannelNames } from '../channel-names.js'
import { checked, invalid, type Validation, validate } from '../validation.js'

/** The channels of a contract. */
export interface CheckedChannels {
  readonly definitions: ChannelDefinitions
  readonly names: ChannelNames
}

/** The definitions that are checked on each server. */
const mounted = new WeakMap<TokenSocketServer, WeakSet<ChannelDefinitions>>()

/**
 * Checks what clients publish on the channels of a contract, on every path: middleware of the
 * server does it, before rules and listeners are asked. A broadcast would reach these channels too,
 * and is refused. Once for each server and contract.
 */
export function checkPublications(server: TokenSocketServer, channels: CheckedChannels): void {
  const { definitions } = channels
  const there = mounted.get(server) ?? new WeakSet<ChannelDefinitions>()
  mounted.set(server, there)
  if (there.has(definitions) || Object.keys(definitions).length === 0) return
  there.add(definitions)
  server.use('publish', (request, next) => {
    const asked = ask(channels, request)
    if (asked instanceof Promise) return asked.then((validation) => go(validation, request, next))
    return go(asked, request, next)
  })
  server.use('broadcast', () => {
    throw new RpcError('forbidden')
  })
}

type PublishRequest = MiddlewareContext<'publish'>

function ask({ definitions, names }: CheckedChannels, request: PublishRequest): Asked {
  const { channel, event, data } = request
  const pattern = names.parse(channel)?.pattern
  if (pattern === undefined) return undefined
  const events = definitions[pattern]?.events ?? {}
  if (event === undefined || !Object.hasOwn(events, event)) return NO_EVENT
  const schema = checked(events[event])
  return schema && validate(schema, data)
}

/** Subscribers get what was published: transforms are theirs. */
function go(
  validation: Validation | undefined,
  { channel, event }: PublishRequest,
  next: () => Promise<unknown>,
): Promise<unknown> {
  if (validation?.issues) throw invalid('invalid_input', { channel, event }, validation.issues)
  return next()
}

/** What came of the question; `undefined` where the contract says nothing. */
type Asked = Validation | undefined | Promise<Validation>

const NO_EVENT: Validation = { issues: [{ path: ['event'], message: 'The channel has no such event' }] }
