import { checkContract } from './contract-checks.js'
import type { ContractDefinition } from './contract-definition.js'

/** A contract. Made by {@link defineContract}. */
export interface Contract<D extends ContractDefinition = ContractDefinition> {
  readonly definition: D
}

type Part<D, Name extends string> = D extends { readonly [key in Name]: infer T } ? T : Record<never, never>

/** The definition of a contract. */
export type DefinitionOf<C> = C extends Contract<infer D> ? D : never

/** The operations that clients call. */
export type ServerOperations<C> = Part<DefinitionOf<C>, 'server'> & Part<DefinitionOf<C>, 'both'>

/** The operations that the server calls. */
export type ClientOperations<C> = Part<DefinitionOf<C>, 'client'> & Part<DefinitionOf<C>, 'both'>

/** The channels, by pattern. */
export type ChannelsOf<C> = Part<DefinitionOf<C>, 'channels'>

/**
 * Defines what both ends agree on. The same object is given to the server, to the client, and to whatever makes documents of it.
 *
 * @throws RpcError `bad_option`, which names the operation or channel: a name that can't be used, or what is no operation
 * @example
 * export const contract = defineContract({
 *   server: { sayHello: procedure({ input: z.object({ name: z.string() }) }) },
 *   client: { sendGreeting: procedure({ input: z.object({ greeting: z.string() }) }) },
 *   channels: { 'room-{id}': { events: { say: z.object({ text: z.string() }) } } },
 * })
 */
export function defineContract<const D extends ContractDefinition>(definition: D): Contract<D> {
  checkContract(definition)
  return Object.freeze({ definition })
}
