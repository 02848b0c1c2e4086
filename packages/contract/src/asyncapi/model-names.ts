import { RpcError } from '@token-socket/protocol'
import { defineContract } from '../contract.js'
import { type Procedure, procedure } from '../procedure.js'
import { type } from '../schema.js'
import type { ModelContract, ModelOperation } from './model-contract.js'
import { ModelError } from './model-error.js'

interface Branch {
  [name: string]: Procedure | Branch
}

/**
 * The contract refuses names that can't be used, or that clash: so does the generator, before it
 * writes them.
 * @throws ModelError which names the place
 */
export function checkNames({ operations, channels }: ModelContract): void {
  const trees: Record<'server' | 'client' | 'both', Branch> = { server: {}, client: {}, both: {} }
  for (const operation of operations) addOperation(trees[operation.kind], operation)
  const definitions = channels.map(({ pattern, events, pointer }) => {
    const definition = { events: Object.fromEntries(events.map(([event]) => [event, type()])) }
    named(pointer, () => defineContract({ channels: { [pattern]: definition } }))
    return [pattern, definition] as const
  })
  named('#', () => defineContract({ ...trees, channels: Object.fromEntries(definitions) }))
}

function addOperation(tree: Branch, { name, pointer, errors, output }: ModelOperation): void {
  const path = name.split('.')
  const last = path.pop() ?? ''
  let branch = tree
  for (const part of path) {
    const next = branch[part] ?? {}
    if ('~procedure' in next)
      throw new ModelError(pointer, `the name ${name} goes on after another operation’s`)
    branch[part] = next
    branch = next as Branch
  }
  if (branch[last]) throw new ModelError(pointer, `the name ${name} begins another operation’s`)
  const schemas = errors.map(([code]) => [code, type()] as const)
  branch[last] = named(pointer, () =>
    procedure({ ...(output && { output: type() }), errors: Object.fromEntries(schemas) }),
  )
}

function named<T>(pointer: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (RpcError.is(error)) throw new ModelError(pointer, error.message)
    throw error
  }
}
