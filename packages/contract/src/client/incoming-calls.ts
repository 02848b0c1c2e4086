import type { ClientAction } from '@token-socket/client'
import { badOption, RpcError, withSubject } from '@token-socket/protocol'
import { checkedValue } from '../checked-value.js'
import { isOneWay, type Operation } from '../operations.js'
import { answerOf, type OperationFunction } from './answer.js'
import { Listeners } from './listeners.js'
import { createOrder } from './message-order.js'
import type { ContractSettings } from './settings.js'

/** A message of the server, as its operation's schema takes it. */
export interface AnyMessage {
  /** The operation's dotted name. */
  readonly operation: string
  readonly input: unknown
}

/** Functions that answer, by the names of operations. */
interface FunctionTree {
  readonly [name: string]: OperationFunction | FunctionTree | undefined
}

/** An operation, and what of the application hears or answers it. */
interface IncomingOperation extends Operation {
  readonly listeners: Listeners<unknown>
  run?: OperationFunction | undefined
}

/** For each socket the names of operations, of any contract, that a function answers. */
const answeredOn = new WeakMap<object, Set<string>>()

/** The operations that the server calls, and what of the application hears and answers them. */
export class IncomingCalls {
  /** Hear every message that has arrived as its schema wants it. */
  readonly any = new Listeners<AnyMessage>()
  readonly #operations = new Map<string, IncomingOperation>()
  readonly #settings: ContractSettings
  /** Finds the functions that are not of this contract. */
  readonly #others: (name: string) => ClientAction | undefined
  readonly #order = createOrder()
  #held: Promise<void> | undefined

  /** Puts the operations before the socket's own actions. */
  constructor(operations: readonly Operation[], settings: ContractSettings) {
    const { socket } = settings
    this.#settings = settings
    this.#others = socket.findAction.bind(socket)
    for (const one of operations) this.#operations.set(one.name, { ...one, listeners: new Listeners() })
    socket.findAction = (name) => this.#find(name)
  }

  /** Lets calls wait. @returns a function after which they run, in the order in which they came */
  hold(): () => void {
    let resolve = () => {}
    this.#held = new Promise((settle) => {
      resolve = settle
    })
    return () => {
      this.#held = undefined
      resolve()
    }
  }

  /** Adds a listener of a one-way message. @returns a function that takes it away */
  listen(name: string, listener: (input: unknown) => unknown): () => void {
    return (this.#operations.get(name) as IncomingOperation).listeners.add(listener)
  }

  /**
   * Adds the functions of a tree, all of them or none.
   * @returns a function that takes them away
   * @throws RpcError `bad_option`, which names the operation
   */
  handle(tree: object): () => void {
    const { socket } = this.#settings
    const answered = answeredOn.get(socket) ?? new Set<string>()
    answeredOn.set(socket, answered)
    const added = [...this.#functionsOf(tree as FunctionTree, '')]
    for (const [{ name }] of added) {
      if (answered.has(name) || this.#others(name)) throw badOption(name, 'answered by one function only')
    }
    for (const [operation, run] of added) {
      operation.run = run
      answered.add(operation.name)
    }
    return () => {
      for (const [operation] of added.splice(0)) {
        operation.run = undefined
        answered.delete(operation.name)
      }
    }
  }

  *#functionsOf(tree: FunctionTree, prefix: string): Generator<[IncomingOperation, OperationFunction]> {
    for (const [key, value] of Object.entries(tree)) {
      const name = prefix + key
      const operation = this.#operations.get(name)
      if (operation && !isOneWay(operation) && typeof value === 'function') yield [operation, value]
      else if (!operation && value && typeof value === 'object') yield* this.#functionsOf(value, `${name}.`)
      else if (value !== undefined)
        throw badOption(name, 'a function, and an operation of the client that has an output')
    }
  }

  #find(name: string): ClientAction | undefined {
    const other = this.#others(name)
    const operation = this.#operations.get(name)
    if (!operation) return other
    const held = this.#held
    if (held) return (...args) => held.then(() => this.#found(name)(...args))
    const { run } = operation
    if (run) {
      return (data, _callback, call) => {
        const tell = (input: unknown) => this.any.tell({ operation: name, input })
        return answerOf({ ...operation, run, data, call, tell }, this.#settings)
      }
    }
    if (!isOneWay(operation)) return other
    const hear = (data: unknown) => this.#hear(operation, data)
    if (!other) return hear
    return async (...args) => {
      await Promise.all([other, hear].map(async (one: ClientAction) => one(...args)))
    }
  }

  /** For a call that was held: its function may be there by now. */
  #found(name: string): ClientAction {
    const found = this.#find(name)
    if (found) return found
    throw withSubject(new RpcError('not_found'), { function: name })
  }

  /** @throws RpcError `invalid_input`, or rejects with it, so that the server receives it, too */
  #hear({ name, procedure, listeners }: IncomingOperation, data: unknown): unknown {
    const { fail, callTimeout: timeout } = this.#settings
    const { input: schema } = procedure['~procedure']
    const failed = (error: unknown): never => {
      // Of everything else the socket says itself what an action threw.
      if (RpcError.is(error)) fail(error)
      throw error
    }
    try {
      const value = schema && data
      const input = checkedValue(
        { schema, value, code: 'invalid_input', subject: { function: name } },
        { timeout },
      )
      const heard = this.#order(input, (input) => {
        this.any.tell({ operation: name, input })
        listeners.tell(input)
      })
      return heard instanceof Promise ? heard.catch(failed) : undefined
    } catch (error) {
      return failed(error)
    }
  }
}
