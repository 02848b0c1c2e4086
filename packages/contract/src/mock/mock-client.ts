import { TokenSocket } from '@token-socket/client'
import { connect } from '../client/connect.js'
import type { Actions, ContractClient } from '../client/contract-client.js'
import type { ConnectOptions } from '../client/options.js'
import { typed } from '../client/typed.js'
import type { ClientOperations, Contract } from '../contract.js'
import { type Operation, operationsOf, treeOf } from '../operations.js'
import type { HandlerMiddleware } from '../server/handler-middleware.js'
import type { Handlers } from '../server/handlers.js'
import { implement } from '../server/implement.js'
import { MemoryServer } from './memory/memory-server.js'
import type { MockIdentity } from './memory/memory-socket.js'
import { type AnyOperationName, MockAnswers, type MockOptions } from './mock-answers.js'
import { checkMock } from './mock-options.js'
import { IN_MEMORY, type InputNamed } from './mock-server.js'
import type { ReceivedMessage } from './received-messages.js'

/** Options of {@link mockClient}. */
export interface MockClientOptions<C> extends MockOptions<AnyOperationName<ClientOperations<C>>> {
  /**
   * Functions of some of the operations that answer. The others answer with data made from their
   * schemas. @default {}
   */
  readonly handlers?: Actions<ClientOperations<C>> | undefined
}

/** Who calls handlers, and what runs around them. */
export interface CallerOptions<C> extends MockIdentity {
  /** As `implement` takes it. @default [] */
  readonly use?: readonly HandlerMiddleware<C>[] | undefined
}

/** A mock client. Made by {@link mockClient}. */
export interface MockClient<C> {
  /**
   * A client of handlers, in memory and without a server: their inputs and answers travel as JSON
   * and are checked, and their calls of the client are answered by this mock.
   * @throws RpcError `bad_option`, as `implement`
   */
  caller(handlers: Handlers<C>, options?: CallerOptions<C>): ContractClient<C>
  /** Connects to a running server, as `connect` does. */
  connect(options: ConnectOptions): Promise<ContractClient<C>>
  /** Everything that the server has called and sent so far, oldest first. */
  readonly received: readonly ReceivedMessage[]
  /**
   * The oldest input of an operation that was not given by this before, or the one that comes next.
   * Fails with `ended` by {@link close}.
   */
  next<Name extends AnyOperationName<ClientOperations<C>>>(
    operation: Name,
  ): Promise<InputNamed<ClientOperations<C>, Name>>
  /**
   * Puts functions before those that are there, until {@link reset}.
   * @throws RpcError `bad_option`
   */
  use(handlers: Actions<ClientOperations<C>>): void
  /**
   * Takes away what {@link use} added, forgets what was received, and makes the same data again.
   */
  reset(): void
  /** What handlers of {@link caller} threw that is no RpcError. */
  readonly failures: readonly unknown[]
  /** Disconnects all clients. */
  close(): Promise<void>
}

/**
 * A client for tests of a server. What the server calls is answered with data made from schemas, or
 * by functions; what it sends can be waited for.
 *
 * @throws RpcError `bad_option`, for a wrong or unknown option, and for a handler or an error of no
 *   operation
 * @example
 * const mock = mockClient(contract, { handlers: { confirm: () => true } })
 * const client = mock.caller(handlers, { auth: { name: 'Ann' } })
 * await client.buy({ item: 'tea' })
 * await mock.next('receipt') // what the handler of `buy` sent
 */
export function mockClient<C extends Contract>(
  contract: C,
  options: MockClientOptions<C> = {},
): MockClient<C> {
  checkMock(contract, options)
  return new ContractMockClient(contract, options)
}

class ContractMockClient<C extends Contract> implements MockClient<C> {
  readonly failures: unknown[] = []
  readonly #contract: C
  readonly #answering: readonly Operation[]
  readonly #oneWay: ReadonlyMap<string, Operation>
  readonly #answers: MockAnswers
  readonly #open: (() => Promise<unknown>)[] = []

  constructor(contract: C, { handlers = {}, ...options }: MockClientOptions<C>) {
    const { client, both } = contract.definition
    const operations = [...operationsOf(client), ...operationsOf(both)]
    this.#contract = contract
    this.#answering = operations.filter(({ procedure }) => procedure['~procedure'].output)
    const oneWay = operations.filter((one) => !this.#answering.includes(one))
    this.#oneWay = new Map(oneWay.map((one) => [one.name, one]))
    this.#answers = new MockAnswers(operations, handlers, options)
  }

  get received(): readonly ReceivedMessage[] {
    return this.#answers.received.all
  }

  caller(handlers: Handlers<C>, { use = [], ...identity }: CallerOptions<C> = {}): ContractClient<C> {
    const controller = implement(this.#contract, handlers, { use, checkSent: true })
    const server = new MemoryServer(this.#contract, controller, (cause) => void this.failures.push(cause))
    const socket = new TokenSocket({ ...IN_MEMORY, webSocket: () => server.connect(identity) })
    this.#open.push(() => socket.end())
    return this.#answer(typed(socket, this.#contract, { checkSent: true }))
  }

  async connect(options: ConnectOptions): Promise<ContractClient<C>> {
    const client = await connect(this.#contract, options)
    this.#open.push(() => client.$socket.end())
    return this.#answer(client)
  }

  next<Name extends AnyOperationName<ClientOperations<C>>>(operation: Name) {
    return this.#answers.received.next(operation) as Promise<InputNamed<ClientOperations<C>, Name>>
  }

  use(handlers: Actions<ClientOperations<C>>): void {
    this.#answers.use(handlers)
  }

  reset(): void {
    this.#answers.reset()
    this.failures.length = 0
  }

  async close(): Promise<void> {
    this.#answers.received.end()
    await Promise.all(this.#open.splice(0).map((end) => end()))
  }

  #answer(client: ContractClient<C>): ContractClient<C> {
    client.handle(treeOf(this.#answering, this.#answers.functionOf) as Actions<ClientOperations<C>>)
    client.$onAnyMessage(({ operation, input }) => {
      if (this.#oneWay.has(operation)) this.#answers.received.add(operation, input)
    })
    return client
  }
}
