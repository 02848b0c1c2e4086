import type { CallOptions } from '@token-socket/protocol'
import type { ServerSocket } from '@token-socket/server'
import { bareObject } from '../bare-object.js'
import type { Operation } from '../operations.js'
import { type CallTarget, socketTarget } from './call-target.js'
import { type ClientCallSettings, clientCall } from './client-call.js'

/** A branch of {@link ClientFunctions}: functions and branches, by name. */
interface Branch {
  readonly [name: string]: unknown
}

/**
 * The functions that call a socket's client, nested as the operations are. They inherit nothing. A
 * function is created when it is first read, so that a socket's memory does not grow with the
 * contract.
 */
export class ClientFunctions {
  readonly #begin: (socket: CallTarget) => Branch
  readonly #bySocket = new WeakMap<object, Branch>()

  constructor(operations: readonly Operation[], settings: ClientCallSettings) {
    this.#begin = branchMaker(operations, 0, settings)
  }

  /** Returns those of a socket: always the same object. */
  readonly of = (socket: ServerSocket): object => {
    const there = this.#bySocket.get(socket)
    if (there) return there
    const made = this.#begin(socketTarget(socket))
    this.#bySocket.set(socket, made)
    return made
  }
}

const TARGET = Symbol('target')

/** @param depth how many names of each operation's path are above this branch */
function branchMaker(
  operations: readonly Operation[],
  depth: number,
  settings: ClientCallSettings,
): (target: CallTarget) => Branch {
  const prototype: object = bareObject()
  for (const [name, group] of groups(operations, depth)) {
    const make = memberMaker(group, depth, settings)
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: { readonly [TARGET]: CallTarget }) {
        const value = make(this[TARGET])
        Object.defineProperty(this, name, { value, enumerable: true })
        return value
      },
    })
  }
  return (target) => Object.create(prototype, { [TARGET]: { value: target } })
}

function memberMaker(
  group: readonly Operation[],
  depth: number,
  settings: ClientCallSettings,
): (target: CallTarget) => unknown {
  const [first] = group
  if (first?.path.length !== depth + 1) return branchMaker(group, depth + 1, settings)
  const call = clientCall(first, settings)
  return (target) => (input?: unknown, options?: CallOptions) => call(target, input, options)
}

/** Returns the operations by their name at a depth, in order. */
function groups(operations: readonly Operation[], depth: number): Map<string, Operation[]> {
  const found = new Map<string, Operation[]>()
  for (const operation of operations) {
    const name = String(operation.path[depth])
    const group = found.get(name)
    if (group) group.push(operation)
    else found.set(name, [operation])
  }
  return found
}
