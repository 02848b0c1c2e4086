import { badOption } from '@token-socket/protocol'
import type { Operation } from '../operations.js'

/** A function of an operation: a handler on the server, an action on the client. */
export type MockFunction = { run(input: unknown, call: never): unknown }['run']

/**
 * The functions of a tree by dotted name, each bound to the object that it is a method of.
 * @throws RpcError `bad_option`, which names what is neither a function of an operation nor a
 *   branch
 */
export function functionsOf(
  handlers: object,
  operations: readonly Operation[],
): ReadonlyMap<string, MockFunction> {
  const known = new Set(operations.map(({ name }) => name))
  const found = new Map<string, MockFunction>()
  const visit = (tree: object, prefix: string): void => {
    for (const [key, value] of Object.entries(tree)) {
      const name = prefix + key
      if (typeof value === 'function' && known.has(name)) found.set(name, value.bind(tree))
      else if (typeof value === 'object' && value !== null && !known.has(name)) visit(value, `${name}.`)
      else if (value !== undefined)
        throw badOption(`handlers.${name}`, 'a function of an operation of the contract')
    }
  }
  visit(handlers, '')
  return found
}
