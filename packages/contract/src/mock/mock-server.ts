import { TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import { RpcError } from '@token-socket/protocol'
import type { ServerController, TokenSocketServer } from '@token-socket/server'
import type { ContractClient } from '../client/contract-client.js'
import type { TypedOptions } from '../client/options.js'
import { typed as typedClient } from '../client/typed.js'
import type { ClientOperations, Contract, ServerOperations } from '../contract.js'
import type { Calls } from '../operation-types.js'
import { operationsOf, treeOf } from '../operations.js'
import type { ReceivedInput } from '../procedure.js'
import type { Handlers } from '../server/handlers.js'
import { implement } from '../server/implement.js'
import { typed as typedServer } from '../server/typed.js'
import type { OperationNamed, TypedServer } from '../server/typed-server.js'
import { MemoryServer } from './memory/memory-server.js'
import type { MockIdentity } from './memory/memory-socket.js'
import { type AnyOperationName, MockAnswers, type MockOptions } from './mock-answers.js'
import { checkMock } from './mock-options.js'
import type { ListenOptions, MockPort } from './port/mock-port.js'
import type { ReceivedMessage } from './received-messages.js'

/** Some of a tree's functions. */
export type Some<T> = {
  readonly [K in keyof T]?: T[K] extends (...args: never) => unknown ? T[K] : Some<T[K]>
}

/** What an operation's handler gets. */
export type InputNamed<T, Name> = ReceivedInput<OperationNamed<T, Name>>

/** Options of {@link mockServer}. */
export interface MockServerOptions<C> extends MockOptions<AnyOperationName<ServerOperations<C>>> {
  /**
   * Functions of some operations. The others answer with data made from their schemas. @default {}
   */
  readonly handlers?: Some<Handlers<C>> | undefined
}

/** The user of a mock server's client, and the client's own options. */
export interface MockConnectOptions extends MockIdentity, TypedOptions {}

/** A mock server. Made by {@link mockServer}. */
export interface MockServer<C> {
  /**
   * Connects a client in memory: a real one, whose calls travel as JSON and are checked at both
   * ends.
   */
  connect(options?: MockConnectOptions): Promise<ContractClient<C>>
  /**
   * Opens a WebSocket to this server, for the option `webSocket` of code under test that connects
   * on its own.
   */
  webSocket: NonNullable<TokenSocketOptions['webSocket']>
  /**
   * Listens on a port, with a real server. Node only.
   * @throws RpcError `unsupported` in a browser
   */
  listen(options?: ListenOptions): Promise<Pick<MockPort, 'url' | 'port'>>
  /** Everything that handlers were given so far, oldest first. */
  readonly received: readonly ReceivedMessage[]
  /**
   * The oldest input of an operation that was not given by this before, or the one that comes next.
   * Fails with `ended` by {@link close}.
   */
  next<Name extends AnyOperationName<ServerOperations<C>>>(
    operation: Name,
  ): Promise<InputNamed<ServerOperations<C>, Name>>
  /**
   * Calls the operations of the client that connected last.
   * @throws RpcError `connection_lost` if there is none
   */
  readonly client: Calls<ClientOperations<C>>
  /** The same for each client, in the order in which they connected. */
  readonly clients: readonly Calls<ClientOperations<C>>[]
  /** Publishes on a channel. */
  readonly publish: TypedServer<C>['publish']
  /**
   * Puts handlers before those that are there, until {@link reset}.
   * @throws RpcError `bad_option`
   */
  use(handlers: Some<Handlers<C>>): void
  /**
   * Takes away what {@link use} added, forgets what was received, and makes the same data again.
   */
  reset(): void
  /** What handlers threw that is no RpcError: clients get `internal` only. */
  readonly failures: readonly unknown[]
  /** Cuts all connections. Clients come back. */
  disconnect(): void
  /**
   * Ends all clients for good, those of {@link webSocket} and of ports too, and stops listening.
   */
  close(): Promise<void>
}

/**
 * A server for tests and for front ends whose server is not there yet. It answers each operation
 * with data made from its schema, which the schema accepts; a handler goes before that. In memory
 * it runs in Node and in browsers.
 *
 * A schema without JSON Schema, such as `type<T>()`, has no data: its operation fails with
 * `no_mock_data`, until it has a handler.
 *
 * @throws RpcError `bad_option`, for a wrong or unknown option, and for a handler or an error of no
 *   operation
 * @example
 * const mock = mockServer(contract, {
 *   seed: 1,
 *   handlers: { sayHello: ({ name }) => `Hello ${name}` },
 * })
 * const client = await mock.connect()
 * await client.sayHello({ name: 'Ann' }) // Hello Ann
 * mock.client.sendGreeting({ greeting: 'Good morning' })
 * await mock.close()
 */
export function mockServer<C extends Contract>(
  contract: C,
  options: MockServerOptions<C> = {},
): MockServer<C> {
  checkMock(contract, options)
  return new ContractMockServer(contract, options)
}

/** A server that clients of the mock are on. */
interface Backend<C> {
  readonly typed: TypedServer<C>
  sockets(): readonly Parameters<TypedServer<C>['client']>[0][]
}

class ContractMockServer<C extends Contract> implements MockServer<C> {
  readonly failures: unknown[] = []
  readonly #contract: C
  readonly #answers: MockAnswers
  readonly #controller: ServerController
  readonly #memory: MemoryServer
  readonly #backends: Backend<C>[]
  readonly #sockets: TokenSocket[] = []
  readonly #ports: MockPort[] = []

  constructor(contract: C, { handlers = {}, ...options }: MockServerOptions<C>) {
    const { server, both } = contract.definition
    const operations = [...operationsOf(server), ...operationsOf(both)]
    this.#contract = contract
    this.#answers = new MockAnswers(operations, handlers, options)
    const tree = treeOf(operations, this.#answers.functionOf) as Handlers<C>
    this.#controller = implement(contract, tree, { checkSent: true })
    this.#memory = new MemoryServer(contract, this.#controller, this.#failed)
    this.#backends = [this.#backend(this.#memory as never, () => this.#memory.sockets() as never)]
  }

  get received(): readonly ReceivedMessage[] {
    return this.#answers.received.all
  }

  get client(): Calls<ClientOperations<C>> {
    const client = this.clients.at(-1)
    if (!client) throw new RpcError('connection_lost', 'No client is connected to the mock server')
    return client
  }

  get clients(): readonly Calls<ClientOperations<C>>[] {
    return this.#backends.flatMap(({ typed, sockets }) => sockets().map((socket) => typed.client(socket)))
  }

  webSocket = () => this.#memory.connect()

  async connect({ auth, uid, umd, ...options }: MockConnectOptions = {}): Promise<ContractClient<C>> {
    const webSocket = () => this.#memory.connect({ auth, uid, umd })
    const socket = new TokenSocket({ ...IN_MEMORY, webSocket })
    this.#sockets.push(socket)
    const client = typedClient(socket, this.#contract, options)
    await socket.ready()
    return client
  }

  async listen(options: ListenOptions = {}): Promise<Pick<MockPort, 'url' | 'port'>> {
    // Later, and by a name that is another file in browsers: they have no Express.
    const { openPort } = await import('#mock-port')
    const port = await openPort({
      ...options,
      socketController: this.#controller,
      presence: presencePatterns(this.#contract),
      failed: this.#failed,
      umdOf: (uid) => this.#memory.umdOf(uid),
    })
    this.#ports.push(port)
    this.#backends.push(this.#backend(port.server, () => [...port.server.sockets().values()]))
    return { url: port.url, port: port.port }
  }

  next<Name extends AnyOperationName<ServerOperations<C>>>(operation: Name) {
    return this.#answers.received.next(operation) as Promise<InputNamed<ServerOperations<C>, Name>>
  }

  publish: TypedServer<C>['publish'] = async (...publication) => {
    const receipts = this.#backends.map(({ typed }) => typed.publish(...publication))
    const [receipt] = await Promise.all(receipts)
    return receipt as Awaited<(typeof receipts)[number]>
  }

  use(handlers: Some<Handlers<C>>): void {
    this.#answers.use(handlers)
  }

  reset(): void {
    this.#answers.reset()
    this.failures.length = 0
  }

  disconnect(): void {
    this.#endAll({ reconnect: true })
  }

  async close(): Promise<void> {
    this.#answers.received.end()
    const sockets = this.#sockets.splice(0).map((socket) => socket.end())
    // Also those that code under test has opened, so that they do not try to come back for ever.
    this.#endAll({ reconnect: false })
    await Promise.all([...sockets, ...this.#ports.splice(0).map((port) => port.close())])
    this.#backends.length = 1
  }

  #endAll(options: { readonly reconnect: boolean }): void {
    for (const { sockets } of this.#backends) for (const socket of sockets()) socket.end(options)
  }

  #failed = (cause: unknown): void => {
    this.failures.push(cause)
  }

  #backend(server: TokenSocketServer, sockets: Backend<C>['sockets']): Backend<C> {
    return { typed: typedServer(server, this.#contract, { checkSent: true }), sockets }
  }
}

/** How a client connects to a server in memory: its address and its token are not looked at. */
export const IN_MEMORY = { host: 'http://mock.invalid', token: 'mock', transports: ['websocket'] } as const

function presencePatterns({ definition: { channels = {} } }: Contract): string[] {
  return Object.keys(channels).filter((pattern) => channels[pattern]?.presence !== undefined)
}
