import type { ChannelDefinitions } from './channel-definitions.js'
import type { Operations } from './operations.js'

/** What both ends agree on. */
export interface ContractDefinition {
  /** What clients call. @default {} */
  readonly server?: Operations | undefined
  /** What the server calls on a client. @default {} */
  readonly client?: Operations | undefined
  /** What either end calls on the other. @default {} */
  readonly both?: Operations | undefined
  /** The channels, by pattern. @default {} */
  readonly channels?: ChannelDefinitions | undefined
}
