import { RpcError } from '@token-socket/protocol'
import { checkContract } from '../contract-checks.js'
import { type Procedure, procedure } from '../procedure.js'
import { checkProcedure } from '../procedure-checks.js'
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
  // Alone first: what is wrong with a name of its own is found at its place.
  for (const operation of operations) named(operation.pointer, () => define([operation]))
  const definitions = channels.map(({ pattern, events, pointer }) => {
    const definition = { events: Object.fromEntries(events.map(([event]) => [event, type()])) }
    named(pointer, () => checkContract({ channels: { [pattern]: definition } }))
    return [pattern, definition] as const
  })
  if (fails(() => define(operations)))
    named(firstToClash(operations)?.pointer ?? '#', () => define(operations))
  named('#', () => checkContract({ channels: Object.fromEntries(definitions) }))
}

function define(operations: readonly ModelOperation[]): void {
  const trees: Record<ModelOperation['kind'], Branch> = { server: {}, client: {}, both: {} }
  for (const operation of operations) addOperation(trees[operation.kind], operation)
  checkContract(trees)
}

/**
 * The first operation that clashes with one before it, in a list with a clash: with it the
 * definition fails, without it not.
 */
function firstToClash(operations: readonly ModelOperation[]): ModelOperation | undefined {
  let [good, bad] = [0, operations.length]
  while (bad - good > 1) {
    const count = Math.floor((good + bad) / 2)
    if (fails(() => define(operations.slice(0, count)))) bad = count
    else good = count
  }
  return operations[bad - 1]
}

function fails(run: () => void): boolean {
  try {
    run()
    return false
  } catch {
    return true
  }
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
  const definition = { ...(output && { output: type() }), errors: Object.fromEntries(schemas) }
  // Whatever NODE_ENV is: `procedure` itself does not look in production.
  named(pointer, () => checkProcedure(definition))
  branch[last] = procedure(definition)
}

function named(pointer: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (RpcError.is(error)) throw new ModelError(pointer, error.message)
    throw error
  }
}
