import { badOption, NAME_LIMITS } from '@token-socket/protocol'
import { ChannelName } from './channel-names.js'
import { isSchema, type Schema } from './schema.js'

/** What is said on a channel. */
export interface ChannelDefinition {
  /** What is published, by event. */
  readonly events: { readonly [event: string]: Schema }
  /** What others see of a member (`umd`, user metadata). @default anything */
  readonly presence?: Schema | undefined
}

/** Channels by pattern: `{id}` stands for a parameter, as in `room-{id}`. */
export interface ChannelDefinitions {
  readonly [pattern: string]: ChannelDefinition
}

/** The parameters of a channel's pattern: `room-{id}` has `{ id }`. */
export type ChannelParameters<Pattern extends string> = {
  readonly [Name in ParameterNames<Pattern>]: string | number
}

type ParameterNames<Pattern extends string> = Pattern extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterNames<Rest>
  : never

/** @throws RpcError `bad_option`, which names the channel */
export function checkChannels(channels: ChannelDefinitions = {}): void {
  if (!isObject(channels)) throw badOption('channels', 'an object')
  for (const [pattern, channel] of Object.entries(channels)) {
    checkPattern(pattern)
    const { events, presence } = Object(channel) as ChannelDefinition
    if (!isObject(events)) throw badOption(`channels.${pattern}.events`, 'an object')
    for (const [event, schema] of Object.entries(events)) {
      const place = `channels.${pattern}.events.${event}`
      if (event === '' || event.length > NAME_LIMITS.event) throw badOption(place, EVENT)
      if (!isSchema(schema)) throw badOption(place, 'a schema')
    }
    if (presence !== undefined && !isSchema(presence)) {
      throw badOption(`channels.${pattern}.presence`, 'a schema')
    }
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

const EVENT = `a name of at most ${NAME_LIMITS.event} characters`

function checkPattern(pattern: string): void {
  try {
    new ChannelName(pattern)
  } catch (cause) {
    throw badOption(`channels.${pattern}`, (cause as Error).message)
  }
}
