import { RpcError } from '@token-socket/protocol'
import { checkContract } from './contract-checks.js'
import type { ContractDefinition } from './contract-definition.js'

/** A contract. Made by {@link defineContract}. */
export interface Contract<D extends ContractDefinition = ContractDefinition> {
  readonly definition: D
}

/** The definition of a contract. */
export type DefinitionOf<C> = C extends { readonly definition: infer D } ? D : never

type Part<D, Name extends string> = D extends { readonly [key in Name]: infer T extends object }
  ? T
  : Record<never, never>

/**
 * The operations of one end and of both. An intersection only where there are both: it costs the
 * compiler time.
 */
type Merged<D, End extends string> = D extends { readonly both: infer Both extends object }
  ? Part<D, End> & Both
  : Part<D, End>

/** The operations that clients call. */
export type ServerOperations<C> = Merged<DefinitionOf<C>, 'server'>

/** The operations that the server calls. */
export type ClientOperations<C> = Merged<DefinitionOf<C>, 'client'>

/** The channels, by pattern. */
export type ChannelsOf<C> = Part<DefinitionOf<C>, 'channels'>

/**
 * Defines what both ends agree on. The same object is given to the server, to the client, and to
 * whatever makes documents of it.
 *
 * @throws RpcError `bad_option`, which names the operation or channel: a name that can't be used,
 *   or what is no operation. Builds for production do not look; servers always do, when they
 *   `implement` it
 * @example
 * export const contract = defineContract({
 *   server: { sayHello: procedure({ input: z.object({ name: z.string() }) }) },
 *   client: { sendGreeting: procedure({ input: z.object({ greeting: z.string() }) }) },
 *   channels: { 'room-{id}': { events: { say: z.object({ text: z.string() }) } } },
 * })
 */
export function defineContract<const D extends ContractDefinition>(definition: D): Contract<D> {
  try {
    // Bundlers replace the expression by its value, and leave the checks out of builds for
    // production.
    if (process.env.NODE_ENV !== 'production') checkContract(definition)
  } catch (error) {
    // A page that loads unbundled modules has no `process`.
    if (RpcError.is(error)) throw error
  }
  return Object.freeze({ definition })
}
