import type { Channel, ChannelOptions } from '@token-socket/client'
import type { ChannelDefinition, ChannelDefinitions } from '../channel-definitions.js'
import { ChannelNames, type ParameterValues } from '../channel-names.js'
import type { Contract } from '../contract.js'
import { ChannelClient } from './channel-client.js'
import type { ContractChannel } from './contract-channel.js'
import type { MadeClient } from './made-client.js'
import type { ContractSettings } from './settings.js'

/** Returns a channel of a contract, the same object for a name until it is released. */
export type ChannelFinder = (
  pattern: string,
  parameters?: ParameterValues,
  options?: ChannelOptions,
) => ContractChannel

/** Adds the channels of its contract to a client. @returns the client */
export function addChannels({ client, settings }: MadeClient, { definition }: Contract): object {
  client.channel ??= channelFinder(definition.channels, settings)
  return client
}

/** Finds the channels of a client. */
function channelFinder(definitions: ChannelDefinitions = {}, settings: ContractSettings): ChannelFinder {
  const names = new ChannelNames(Object.keys(definitions))
  /** By the socket's own channel, which is another object after a release. */
  const opened = new WeakMap<Channel, ChannelClient>()
  return (pattern, parameters, options) => {
    // Called also if the channel exists, because the options may have a token.
    const channel = settings.socket.channel(names.format(pattern, parameters), options)
    // The name belongs to this pattern, so the contract has it.
    const definition = definitions[pattern] as ChannelDefinition
    const found = opened.get(channel) ?? new ChannelClient(channel, definition, settings)
    opened.set(channel, found)
    return found as unknown as ContractChannel
  }
}
