import { badOption } from '@token-socket/protocol'
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
  for (const [pattern, { events, presence }] of Object.entries(channels)) {
    for (const [event, schema] of Object.entries({ ...events, ...(presence && { presence }) })) {
      if (!isSchema(schema)) throw badOption(`channels.${pattern}.${event}`, 'a schema')
    }
  }
}
