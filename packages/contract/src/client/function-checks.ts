import { badOption, type Controller, findAction, isPlain } from '@token-socket/protocol'

/** The client that functions are added to. */
interface Added {
  /** The functions of this contract that were added. */
  readonly added: ReadonlySet<Controller>
  readonly socket: object
  /** Returns whether a function outside this contract answers. */
  isTaken(name: string): boolean
  /** Returns whether the client has an operation with an answer of this name. */
  answers(name: string): boolean
}

/** The functions of any contract that answer, by socket. */
const answering = new WeakMap<object, Set<ReadonlySet<Controller>>>()

/** @throws RpcError `bad_option`, which names the operation */
export function checkFunctions(tree: Controller, { socket, added, isTaken, answers }: Added): void {
  const all = answering.get(socket) ?? new Set()
  answering.set(socket, all.add(added))
  if (typeof tree !== 'object' || tree === null) throw badOption('actions', 'an object of functions')
  const isThere = (name: string) => [...all].some((trees) => [...trees].some((one) => findAction(one, name)))
  for (const [name, value] of membersOf(tree, answers)) {
    if (!answers(name) || typeof value !== 'function')
      throw badOption(name, 'a function, and an operation of the client that has an output')
    if (isTaken(name) || isThere(name)) throw badOption(name, 'answered by one function only')
  }
}

/**
 * An instance's own fields are not its methods, which calls would not find: functions are found by
 * own names.
 */
function* membersOf(
  tree: Controller,
  answers: Added['answers'],
  prefix = '',
): Generator<[name: string, value: unknown]> {
  if (!isPlain(tree)) throw badOption(prefix.slice(0, -1) || 'handle', 'a plain object of functions')
  for (const [key, value] of Object.entries(tree)) {
    const name = prefix + key
    if (value && typeof value === 'object' && !answers(name)) yield* membersOf(value, answers, `${name}.`)
    else if (value !== undefined) yield [name, value]
  }
}
