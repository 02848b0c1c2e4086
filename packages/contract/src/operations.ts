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

/** The path of the member that listens to a one-way message: `deep.onNote` of `deep.note`. */
export function listenerPath(path: readonly string[]): readonly string[] {
  const name = String(path.at(-1))
  return [...path.slice(0, -1), `on${name.charAt(0).toUpperCase()}${name.slice(1)}`]
}
