import { badOption, isPlain, NAME_LIMITS } from '@token-socket/protocol'
import { checkChannels } from './channel-checks.js'
import type { ContractDefinition } from './contract-definition.js'
import { isOneWay, listenerName, type Operations, operationsOf } from './operations.js'
import { isProcedure, type Procedure } from './procedure.js'
import { checkProcedure } from './procedure-checks.js'

/** How deep operations may be nested. */
const DEPTH = 16

const PARTS = ['server', 'client', 'both', 'channels']

/**
 * Names that objects inherit, and names by which JavaScript treats an object as a promise or
 * converts it to JSON.
 */
const TAKEN: ReadonlySet<string> = /* @__PURE__ */ new Set(
  /* @__PURE__ */ Object.getOwnPropertyNames(Object.prototype).concat('then', 'toJSON', 'prototype'),
)

/** Names of the protocol, and of a client's own members. */
const TAKEN_AT_TOP: ReadonlySet<string> = /* @__PURE__ */ new Set(['auth', 'handle', 'channel'])

/** @throws RpcError `bad_option`, which names the operation, channel or field */
export function checkContract(definition: ContractDefinition): void {
  if (!isTree(definition)) throw badOption('contract', 'an object')
  for (const part of Object.keys(definition)) {
    if (!PARTS.includes(part)) throw badOption(part, `one of ${PARTS.join(', ')}`)
  }
  const { server, client, both, channels } = definition
  for (const [part, tree] of Object.entries({ server, client, both })) {
    if (tree !== undefined) checkTree(tree, [part])
  }
  checkNames(definition)
  checkChannels(channels)
}

/** @param path the part of the contract, and the names on the way to the tree */
function checkTree(tree: Operations, path: readonly string[]): void {
  const field = path.join('.')
  if (!isTree(tree)) throw badOption(field, 'a procedure, or an object of them')
  if (path.length > DEPTH) throw badOption(field, `nested at most ${DEPTH} levels deep, without a cycle`)
  for (const key of Reflect.ownKeys(tree)) {
    const own = [...path, String(key)]
    checkName(key, own)
    const value = (tree as Readonly<Record<PropertyKey, Procedure | Operations>>)[key] as Operations
    if (isProcedure(value)) checkProcedure(value['~procedure'], own.join('.'))
    else checkTree(value, own)
  }
}

function checkName(key: string | symbol, path: readonly string[]): void {
  const field = path.join('.')
  if (typeof key === 'symbol' || !/^[A-Za-z_]\w*$/.test(key))
    throw badOption(field, 'a name of letters, digits and _')
  const isTop = path.length === 2
  if (TAKEN.has(key) || (isTop && (key.startsWith('_') || TAKEN_AT_TOP.has(key))))
    throw badOption(field, 'another name: this one is taken')
  const length = field.length - `${path[0]}.`.length
  if (length > NAME_LIMITS.name) throw badOption(`${field.slice(0, 50)}…`, `at most ${NAME_LIMITS.name} long`)
}

function isTree(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value)
}

/** Checks that no two parts of the contract have the same name on a client, or for calls. */
function checkNames({ server, client, both }: ContractDefinition): void {
  const calls = new Names('server')
  const members = new Names('client')
  const listened = new Names('client')
  for (const tree of [server, both]) {
    for (const { path } of operationsOf(tree)) {
      calls.add(path)
      members.add(path)
    }
  }
  for (const tree of [client, both]) {
    for (const operation of operationsOf(tree)) {
      const { path } = operation
      listened.add(path)
      if (isOneWay(operation))
        members.add([...path.slice(0, -1), listenerName(String(path[path.length - 1]))])
    }
  }
}

/** The names of a tree that is made of several. */
class Names {
  readonly #kinds = new Map<string, 'branch' | 'operation'>()
  readonly #of: string

  constructor(of: string) {
    this.#of = of
  }

  /**
   * @throws RpcError `bad_option` if the name exists already, or is that of a branch, or goes
   *   through an operation
   */
  add(path: readonly string[]): void {
    for (let length = 1; length <= path.length; length += 1) {
      const name = path.slice(0, length).join('.')
      const kind = length < path.length ? 'branch' : 'operation'
      const there = this.#kinds.get(name)
      if (there && (there !== kind || kind === 'operation'))
        throw badOption(name, `one thing only: the ${this.#of} would have it twice`)
      this.#kinds.set(name, kind)
    }
  }
}
