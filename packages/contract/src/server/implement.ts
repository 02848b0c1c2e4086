import { badOption, isPlain, nearestName } from '@token-socket/protocol'
import type { ServerController } from '@token-socket/server'
import type { Contract } from '../contract.js'
import { checkContract } from '../contract-checks.js'
import { isDevelopment } from '../development.js'
import { checkGiven } from '../given-contract.js'
import { type Operation, operationsOf, treeOf } from '../operations.js'
import { checked } from '../validation.js'
import { ClientFunctions } from './client-functions.js'
import type { HandlerMiddleware, RunHandler, Step } from './handler-middleware.js'
import type { Handlers } from './handlers.js'
import { operationFunction } from './operation-function.js'
import { checkMaxParts, MAX_PARTS } from './value-size.js'

/** Options of {@link implement}. */
export interface ImplementOptions<C> {
  /** Middleware around the handlers, the first outermost. @default [] */
  readonly use?: readonly HandlerMiddleware<C>[] | undefined
  /**
   * Whether answers, the data of declared errors, and the handlers' messages to clients are checked
   * before they are sent.
   * @default true, unless `NODE_ENV` is `production`
   */
  readonly checkSent?: boolean | undefined
  /**
   * How many items of lists and fields of objects an input may have in total, and a client's answer
   * to a handler. A value with more is refused before the schema checks it. `Infinity` for any
   * number.
   * @default 10000
   */
  readonly maxParts?: number | undefined
}

const OPTIONS = ['use', 'checkSent', 'maxParts']

/**
 * Makes the controller of a server from the handlers of a contract. What clients send is checked
 * before a handler sees it. Handlers are nested as the contract is; objects of classes will do,
 * their methods too.
 *
 * @throws RpcError `bad_option`, which names all operations without a handler, and all handlers
 *   without an operation
 * @example
 * const socketController = implement(contract, {
 *   sayHello: ({ name }) => `Hello ${name}`,
 *   async buy({ item }, { client }) {
 *     await client.sendGreeting({ greeting: `Enjoy your ${item}` })
 *     return { order: 1 }
 *   },
 * })
 * new TokenSocketServer({ app, server, socketController })
 */
export function implement<C extends Contract>(
  contract: C,
  handlers: Handlers<C>,
  options: ImplementOptions<C> = {},
): ServerController {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name)) throw badOption(name, `one of ${OPTIONS.join(', ')}`)
  }
  const { use = [], checkSent = isDevelopment(), maxParts = MAX_PARTS } = options
  if (!Array.isArray(use) || use.some((one) => typeof one !== 'function'))
    throw badOption('use', 'a list of functions')
  checkMaxParts(maxParts)
  checkGiven(contract)
  checkContract(contract.definition)
  const { server, client, both } = contract.definition
  const operations = [...operationsOf(server), ...operationsOf(both)]
  const runs = findHandlers(operations, handlers)
  const called = [...operationsOf(client), ...operationsOf(both)]
  const clients = new ClientFunctions(called, { checkSent, maxParts })
  const sendsChecked = checkSent && called.some(({ procedure }) => checked(procedure['~procedure'].input))
  const middleware = use as readonly Step[]
  const settings = { checkSent, sendsChecked, maxParts, clientOf: clients.of, middleware }
  return treeOf(operations, (operation) =>
    operationFunction(operation, runs.get(operation.name) as RunHandler, settings),
  )
}

/**
 * Returns the handlers of all operations, by dotted name.
 * @throws RpcError `bad_option`, which names all mistakes
 */
function findHandlers(operations: readonly Operation[], handlers: object): ReadonlyMap<string, RunHandler> {
  const found = new Map<string, RunHandler>()
  const missing: string[] = []
  for (const operation of operations) {
    const run = handlerOf(handlers, operation.path)
    if (run) found.set(operation.name, run)
    else missing.push(operation.name)
  }
  const extra = [...extraOf(handlers, new Set(operations.flatMap(prefixesOf)))]
  if (missing.length + extra.length > 0) throw incomplete(missing, extra)
  return found
}

/** Names come from the contract, never from the network, so inherited methods count. */
function handlerOf(handlers: object, path: readonly string[]): RunHandler | undefined {
  let owner: unknown
  let value: unknown = handlers
  for (const name of path) {
    owner = value
    value = Object(owner) === owner ? (owner as Readonly<Record<string, unknown>>)[name] : undefined
  }
  return typeof value === 'function' ? value.bind(owner) : undefined
}

/** Returns the names of an operation and of its branches. */
function prefixesOf({ path }: Operation): string[] {
  return path.map((_, index) => path.slice(0, index + 1).join('.'))
}

/**
 * Returns the functions without an operation. An instance may have methods of its own, which
 * clients cannot call.
 */
function* extraOf(handlers: object, known: ReadonlySet<string>, path: string[] = []): Generator<string> {
  if (Object(handlers) !== handlers || !isPlain(handlers)) return
  for (const [key, value] of Object.entries(handlers)) {
    const name = [...path, key].join('.')
    if (!known.has(name)) yield name
    else if (Object(value) === value && typeof value !== 'function')
      yield* extraOf(value, known, [...path, key])
  }
}

function incomplete(missing: readonly string[], extra: readonly string[]): Error {
  const meant = (name: string) => {
    const nearest = nearestName(name, missing)
    return nearest === undefined ? name : `${name} (did you mean ${nearest}?)`
  }
  const parts = [
    missing.length > 0 && `without a handler: ${missing.join(', ')}`,
    extra.length > 0 && `not in the contract: ${extra.map(meant).join(', ')}`,
  ]
  return badOption('handlers', `those of the contract; ${parts.filter(Boolean).join('; ')}`)
}
