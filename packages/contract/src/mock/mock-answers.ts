import { badOption, ERRORS, RpcError, startTimeout } from '@token-socket/protocol'
import type { Operation } from '../operations.js'
import type { OperationNames } from '../server/typed-server.js'
import { makeData } from './data/made-data.js'
import { seedOf } from './data/seed.js'
import { functionsOf, type MockFunction } from './mock-functions.js'
import { ReceivedMessages } from './received-messages.js'

/**
 * What a mock fails with: an error; the code of one that the operation declares, its data made from
 * its schema, or of one of the library's; or a function that gives one of these, or nothing to
 * answer as usual.
 */
export type MockError = Error | string | ((input: unknown) => Error | string | undefined)

/**
 * The dotted names of a tree's operations, eight levels deep; any text for a tree that is not
 * known.
 */
export type AnyOperationName<T> = string extends keyof T
  ? string
  : OperationNames<T, true> | OperationNames<T, false>

/**
 * Options of both kinds of mocks.
 * @typeParam Name the names of the operations that the mock answers
 */
export interface MockOptions<Name extends string = string> {
  /**
   * The same seed gives the same data: for one operation's first call, its second, and so on.
   * @default 'token-socket'
   */
  readonly seed?: string | number | undefined
  /** Milliseconds that an answer takes, or the least and the most of them. @default 0 */
  readonly latency?: number | readonly [least: number, most: number] | undefined
  /** What operations fail with, by their dotted names. @default {} */
  readonly errors?: { readonly [One in Name]?: MockError | undefined } | undefined
}

/**
 * Answers the operations of one end: by functions of a test where there are some, else by data made
 * from schemas.
 */
export class MockAnswers {
  /** What arrived. */
  readonly received = new ReceivedMessages()
  readonly #operations: readonly Operation[]
  readonly #options: MockOptions
  readonly #handlers: ReadonlyMap<string, MockFunction>
  readonly #counts = new Map<string, number>()
  #replaced: ReadonlyMap<string, MockFunction> = new Map()

  /** @throws RpcError `bad_option` for a handler or an error of no operation */
  constructor(operations: readonly Operation[], handlers: object, options: MockOptions) {
    this.#operations = operations
    this.#options = options
    this.#handlers = functionsOf(handlers, operations)
    for (const [name, error] of Object.entries(options.errors ?? {})) {
      const operation = operations.find((one) => one.name === name)
      if (!operation) throw badOption(`errors.${name}`, 'about an operation')
      const { errors = {} } = operation.procedure['~procedure']
      if (typeof error === 'string' && !Object.hasOwn(errors, error) && !Object.hasOwn(ERRORS, error))
        throw badOption(`errors.${name}`, 'a code that the operation declares, or one of the library’s own')
    }
  }

  /**
   * Puts functions before those that are there, until {@link reset}.
   * @throws RpcError `bad_option`
   */
  use(handlers: object): void {
    this.#replaced = new Map([...this.#replaced, ...functionsOf(handlers, this.#operations)])
  }

  /** Takes away what {@link use} added, forgets what arrived, and makes the same data again. */
  reset(): void {
    this.#replaced = new Map()
    this.#counts.clear()
    this.received.clear()
  }

  /** The function of an operation. */
  functionOf = (operation: Operation): MockFunction => {
    return async (input: unknown, call: never) => {
      const { name } = operation
      const count = this.#counts.get(name) ?? 0
      this.#counts.set(name, count + 1)
      this.received.add(name, input)
      await this.#wait(`${name}:${count}`)
      const error = await this.#errorOf(operation, input, count)
      if (error) throw error
      const run = this.#replaced.get(name) ?? this.#handlers.get(name)
      return run ? run(input, call) : this.#make(operation, count)
    }
  }

  #make({ name, procedure }: Operation, count: number): Promise<unknown> | undefined {
    const { output } = procedure['~procedure']
    return output && makeData(output, { name, part: 'output', seed: this.#seed(`${name}:${count}`) })
  }

  async #errorOf(operation: Operation, input: unknown, count: number): Promise<Error | undefined> {
    const { name, procedure } = operation
    const given = this.#replaced.has(name) ? undefined : this.#options.errors?.[name]
    const error = typeof given === 'function' ? given(input) : given
    if (typeof error !== 'string') return error
    const schema = procedure['~procedure'].errors?.[error]
    const seed = this.#seed(`${name}:${count}`)
    const data = schema && (await makeData(schema, { name, part: `error ${error}`, seed }))
    return new RpcError(error, undefined, data)
  }

  #wait(key: string): Promise<void> | undefined {
    const { latency = 0 } = this.#options
    const [least, most] = typeof latency === 'number' ? [latency, latency] : latency
    const wait = least + (most - least) * (seedOf(this.#seed(key)) / 2 ** 32)
    return wait > 0 ? new Promise((resolve) => startTimeout(wait, resolve, true)) : undefined
  }

  #seed(key: string): string {
    return `${this.#options.seed ?? 'token-socket'}:${key}`
  }
}
