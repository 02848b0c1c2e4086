import { RpcError } from '@token-socket/protocol'
import type { MiddlewareContext, TokenSocketServer } from '@token-socket/server'
import type { ChannelDefinitions } from '../channel-definitions.js'
import type { ChannelNames } from '../channel-names.js'
import type { Schema } from '../schema.js'
import { checked, invalid, type Validation, validate } from '../validation.js'
import { refuseParts } from './value-size.js'

/** The channels of a contract. */
export interface CheckedChannels {
  readonly definitions: ChannelDefinitions
  readonly names: ChannelNames
}

/** The channels of a contract, with their checks on a server. */
interface MountedChannels extends CheckedChannels {
  readonly maxParts: number
}

/** The checks of each server, by definitions. */
const mounted = new WeakMap<TokenSocketServer, Map<ChannelDefinitions, MountedChannels>>()

/**
 * Checks the publications of clients on the channels of a server's contracts, on every path.
 * Middleware of the server does it, before rules and listeners are asked. A channel of several
 * contracts has the events of all. A broadcast would reach these channels too, and is refused.
 * Called once for each server and contract.
 */
export function checkPublications(
  server: TokenSocketServer,
  channels: CheckedChannels,
  maxParts: number,
): void {
  const { definitions } = channels
  if (Object.keys(definitions).length === 0) return
  const there = mounted.get(server)
  const all = there ?? new Map<ChannelDefinitions, MountedChannels>()
  if (!all.has(definitions)) all.set(definitions, { ...channels, maxParts })
  if (there) return
  mounted.set(server, all)
  server.use('publish', (request, next) => {
    const asked = check([...all.values()], request)
    return asked ? asked.then(() => next()) : next()
  })
  server.use('broadcast', () => {
    throw new RpcError('forbidden')
  })
}

type PublishRequest = MiddlewareContext<'publish'>

/**
 * Publications whose schemas answer at once are passed on at once, in order.
 * @throws RpcError `invalid_input` for an event that no contract of the channel has, and for data
 *   that a contract refuses
 */
function check(all: readonly MountedChannels[], request: PublishRequest): undefined | Promise<void> {
  const { channel, event, data } = request
  const found = all.flatMap((one) => eventsOf(one, channel))
  const schemas = found.flatMap(({ events, maxParts }) => schemaOf(events, event, maxParts))
  const report = (results: readonly (Validation | undefined)[]): undefined => {
    const wrong = results.find((one) => one?.issues)
    if (wrong?.issues) throw invalid('invalid_input', { channel, event }, wrong.issues)
  }
  if (found.length > 0 && schemas.length === 0) report([NO_EVENT])
  const results = schemas.map(({ schema, maxParts }) =>
    checked(schema) ? (refuseParts(data, maxParts) ?? validate(schema, data)) : undefined,
  )
  if (results.some((one) => one instanceof Promise)) return Promise.all(results).then(report)
  return report(results as readonly (Validation | undefined)[])
}

interface FoundEvents {
  readonly events: Readonly<Record<string, Schema>>
  readonly maxParts: number
}

function eventsOf({ definitions, names, maxParts }: MountedChannels, channel: string): FoundEvents[] {
  const pattern = names.parse(channel)?.pattern
  return pattern === undefined ? [] : [{ events: definitions[pattern]?.events ?? {}, maxParts }]
}

function schemaOf(events: FoundEvents['events'], event: string | undefined, maxParts: number) {
  if (event === undefined || !Object.hasOwn(events, event)) return []
  return [{ schema: events[event] as Schema, maxParts }]
}

const NO_EVENT: Validation = { issues: [{ path: ['event'], message: 'The channel has no such event' }] }
