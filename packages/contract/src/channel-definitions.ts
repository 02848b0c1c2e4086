import type { Schema } from './schema.js'

/** The messages and members of a channel. */
export interface ChannelDefinition {
  /** The schemas of publications, by event. */
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
