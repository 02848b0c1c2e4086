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

/** Whether an operation is a message without an answer. */
export function isOneWay({ procedure }: Pick<Operation, 'procedure'>): boolean {
  return !procedure['~procedure'].output
}

/** The member that listens to a one-way message: `onNote` of `note`. */
export function listenerName(key: string): string {
  return `on${key.charAt(0).toUpperCase()}${key.slice(1)}`
}
