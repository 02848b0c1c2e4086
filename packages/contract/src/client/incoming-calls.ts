import type { ClientAction } from '@token-socket/client'
import { type Controller, findAction, RpcError, withSubject } from '@token-socket/protocol'
import { checker } from '../checked-value.js'
import { same } from '../message-order.js'
import type { ProcedureDefinition } from '../procedure.js'
import { answerOf, type OperationFunction } from './answer.js'
import { checkFunctions } from './function-checks.js'
import { Listeners } from './listeners.js'
import type { ContractSettings } from './settings.js'

/** A message of the server, after its operation's schema. */
export interface AnyMessage {
  /** The operation's dotted name. */
  readonly operation: string
  readonly input: unknown
}

/** An operation, and its listeners in the application. */
interface IncomingOperation extends ProcedureDefinition {
  readonly listeners: Listeners<unknown>
}

/** The operations that the server calls, with the application's functions and listeners. */
export class IncomingCalls {
  /** Listeners of every message that its schema accepts. */
  readonly any = new Listeners<AnyMessage>()
  readonly #operations = new Map<string, IncomingOperation>()
  /** The functions that answer. */
  readonly #functions = new Set<Controller>()
  readonly #settings: ContractSettings
  /** Finds the functions outside this contract. */
  readonly #others: (name: string) => ClientAction | undefined
  #held: Promise<unknown> | undefined

  /** Looks the operations up before the socket's own actions. */
  constructor(settings: ContractSettings) {
    const { socket } = settings
    this.#settings = settings
    this.#others = socket.findAction.bind(socket)
    socket.findAction = (name) => this.#find(name)
  }

  /** Holds calls until a promise settles. They then run in the order of their arrival. */
  hold(until: Promise<unknown>): void {
    this.#held = until.then(() => {
      this.#held = undefined
    })
    this.#settings.received(this.#held, same)
  }

  /** Adds an operation. @returns the listeners of a one-way message */
  add(name: string, definition: ProcedureDefinition): Listeners<unknown> {
    const listeners = new Listeners<unknown>()
    this.#operations.set(name, { ...definition, listeners })
    return listeners
  }

  /**
   * Adds the functions of a tree, all of them or none.
   * @returns a function that removes them
   * @throws RpcError `bad_option`, which names the operation; not in builds for production
   */
  handle(tree: Controller): () => void {
    const added = this.#functions
    try {
      if (process.env.NODE_ENV !== 'production')
        checkFunctions(tree, {
          added,
          socket: this.#settings.socket,
          isTaken: (name) => this.#others(name) !== undefined,
          answers: (name) => this.#operations.get(name)?.output !== undefined,
        })
    } catch (error) {
      if (RpcError.is(error)) throw error
    }
    added.add(tree)
    return () => void added.delete(tree)
  }

  #find(name: string): ClientAction | undefined {
    const other = this.#others(name)
    const operation = this.#operations.get(name)
    if (!operation) return other
    const held = this.#held
    if (operation.output) {
      if (held) return (...args) => held.then(() => this.#found(name)(...args))
      return this.#answering(name, operation) ?? other
    }
    const tellOther = async (...args: Parameters<ClientAction>) => {
      if (held) await held
      return this.#others(name)?.(...args)
    }
    return async (...args) => {
      await Promise.all([tellOther(...args), this.#hear(name, operation, args[0])])
    }
  }

  /** Finds the function of a held call, which may have been added meanwhile. */
  #found(name: string): ClientAction {
    const found = this.#find(name)
    if (found) return found
    throw withSubject(new RpcError('not_found'), { function: name })
  }

  #answering(name: string, operation: IncomingOperation): ClientAction | undefined {
    for (const tree of this.#functions) {
      const run = findAction(tree, name) as OperationFunction | undefined
      if (run) {
        const emit = (input: unknown) => this.any.emit({ operation: name, input })
        return (data, _callback, call) => answerOf({ ...operation, run, data, call, emit }, this.#settings)
      }
    }
    return undefined
  }

  /** Rejects with `invalid_input`, so that the server receives it, too. */
  async #hear(name: string, { input: schema, listeners }: IncomingOperation, data: unknown): Promise<void> {
    try {
      const input = checker({ function: name }, this.#settings)(schema, schema && data)
      await this.#settings.received(input, (input) => {
        this.any.emit({ operation: name, input })
        listeners.emit(input)
      })
    } catch (error) {
      // The socket reports every other error of an action itself.
      if (RpcError.is(error)) this.#settings.fail(error)
      throw error
    }
  }
}
