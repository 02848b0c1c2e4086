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

/** Values by name, nested as operations are. */
export interface OperationTree<T> {
  [name: string]: OperationTree<T> | T
}

/** A tree with one value for each operation. */
export function treeOf<T>(
  operations: readonly Operation[],
  make: (operation: Operation) => T,
): OperationTree<T> {
  const tree: OperationTree<T> = {}
  for (const operation of operations) {
    let branch = tree
    for (const name of operation.path.slice(0, -1)) {
      branch[name] ??= {}
      branch = branch[name] as OperationTree<T>
    }
    branch[operation.path.slice(-1).join()] = make(operation)
  }
  return tree
}
