import { badOption } from '@token-socket/protocol'
import { isProcedure, type Procedure } from './procedure.js'

/** A nested tree of operations. */
export interface Operations {
  readonly [name: string]: Procedure | Operations
}

/** An operation and the dotted name by which it is called. */
export interface Operation {
  readonly name: string
  readonly path: readonly string[]
  readonly procedure: Procedure
}

/** The operations of a tree, those of its branches too, in order. */
export function* operationsOf(tree: Operations = {}, path: readonly string[] = []): Generator<Operation> {
  for (const [key, value] of Object.entries(tree)) {
    const own = [...path, key]
    if (isProcedure(value)) yield { name: own.join('.'), path: own, procedure: value }
    else yield* operationsOf(value, own)
  }
}

/** @throws RpcError `bad_option`, which names the operation */
export function checkOperations(trees: readonly (Operations | undefined)[]): void {
  for (const tree of trees) {
    for (const { name } of operationsOf(tree)) {
      if (!/^[A-Za-z][\w.]*$/.test(name)) throw badOption(name, 'a name of letters, digits and _')
    }
  }
}
