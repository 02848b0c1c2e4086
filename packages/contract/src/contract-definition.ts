import type { ChannelDefinitions } from './channel-definitions.js'
import type { Operations } from './operations.js'

/** The definition of a contract, which both ends share. */
export interface ContractDefinition {
  /** The operations that clients call. @default {} */
  readonly server?: Operations | undefined
  /** The operations that the server calls on a client. @default {} */
  readonly client?: Operations | undefined
  /** The operations that both ends call on each other. @default {} */
  readonly both?: Operations | undefined
  /** The channels, by pattern. @default {} */
  readonly channels?: ChannelDefinitions | undefined
}
