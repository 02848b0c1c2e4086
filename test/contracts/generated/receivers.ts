/**
 * Real servers and clients of a contract whose schemas are made of shapes, and every way by which a payload reaches a receiver.
 * What sends it checks nothing: a plain socket, or a contract with `checkSent: false`.
 */
import type { TokenSocket } from '@token-socket/client'
import { type Contract, defineContract, procedure, type Schema, type } from '@token-socket/contract'
import { type ContractClient, typed as typedClient } from '@token-socket/contract/client'
import { implement, typed as typedServer } from '@token-socket/contract/server'
import { RpcError } from '@token-socket/protocol'
import type { ServerController } from '@token-socket/server'
import { Site } from '../../end-to-end/fixture.js'
import { LIBRARIES } from './schemas.js'
import type { Shape } from './shape.js'

/** What became of a payload. */
export type Outcome = { readonly reached: unknown } | { readonly error: RpcError }

/** Sends a payload to the receiver that has the schema of a name. */
export type Route = (name: string, payload: unknown) => Promise<Outcome>

/** One kind of receivers. */
export interface Receiver {
  readonly send: Route
  /** The code of the error for what a schema refuses. */
  readonly code: string
}

/** Receivers. */
export interface Receivers {
  /** By what they are. */
  readonly routes: Readonly<Record<string, Receiver>>
  /** How many payloads a receiver took. */
  count(): number
  stop(): Promise<void>
}

/** A tree of any functions: the contract's types say nothing about operations that are made at run time. */
type Tree = Readonly<Record<string, Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>>>

/** The name under which the schema of a shape is known. */
export function nameOf(library: string, index: number): string {
  return `${library}${index}`
}

/** Starts the receivers of some shapes, each in each library. */
export async function startReceivers(shapes: readonly Shape[]): Promise<Receivers> {
  const schemas = Object.entries(LIBRARIES).flatMap(([library, make]) =>
    shapes.map((shape, index) => [nameOf(library, index), make(shape)] as const),
  )
  const world = new World(schemas)
  await world.start()
  return world
}

class World implements Receivers {
  readonly #names: readonly string[]
  readonly #contract: Contract
  /** The function that the next payload that reaches a receiver is given to. */
  #reach: (payload: unknown) => void = () => {}
  /** The function that the next error is given to which no call tells. */
  #failed: (error: RpcError) => void = () => {}
  #count = 0
  readonly #sites: Site[] = []
  routes: Receivers['routes'] = {}

  constructor(schemas: readonly (readonly [string, Schema])[]) {
    this.#names = schemas.map(([name]) => name)
    const all = (make: (schema: Schema) => object) =>
      Object.fromEntries(schemas.map(([name, schema]) => [name, make(schema)])) as never
    const tree = {
      ask: all((input) => procedure({ input, output: type<unknown>() })),
      tell: all((input) => procedure({ input })),
      give: all((output) => procedure({ input: type<unknown>(), output, errors: { declared: output } })),
    }
    // Of what clients publish, the clients here hear nothing: it would arrive after its receipt.
    const channels = Object.fromEntries(
      schemas.flatMap(([name, say]) =>
        [name, `from-${name}`].map((channel) => [channel, { events: { say } }]),
      ),
    )
    this.#contract = defineContract({ server: tree, client: tree, channels })
  }

  async start(): Promise<void> {
    const heard = (payload: unknown) => this.#heard(payload)
    const handlers = {
      ask: this.#each(() => heard),
      tell: this.#each(() => heard),
      give: this.#each(() => giving),
    }
    const checking = await this.#site(implement(this.#contract, handlers as never, { checkSent: false }))
    const plain = await this.#site({
      give: this.#each(() => (_auth: unknown, data: unknown) => giving(data)),
    })
    const server = typedServer(checking.sockets, this.#contract, { checkSent: false })
    const { client: sender, socket: given } = await checking.pair({}, { give: this.#each(() => giving) })
    const { client: receiver, socket: called } = await checking.pair()
    const listening = await this.#listen(receiver)
    sender.on('error', (error) => this.#failed(error))
    listening.$onError((error) => this.#failed(error))
    const asking = typedClient(await plain.ready(), this.#contract, { checkSent: false })
    this.routes = {
      'the input of a call, at the server': this.#input((name, data) => sender.rpc(`ask.${name}`, data)),
      'a one-way message, at the server': this.#input((name, data) => sender.rpc(`tell.${name}`, data)),
      'a publication of a client, at the server': this.#input((name, data) =>
        sender.publish(`from-${name}`, data, { event: 'say' }),
      ),
      'the input of a call, at the client': this.#input((name, data) => called.rpc(`ask.${name}`, data)),
      'a one-way message, at the client': this.#input((name, data) => called.rpc(`tell.${name}`, data)),
      'a publication, at the client': this.#silent((name, data) =>
        checking.sockets.publish(name, data, { event: 'say' }),
      ),
      'a notification, at the server': this.#silent((name, data) => sender.notify(`tell.${name}`, data)),
      'a notification, at the client': this.#silent((name, data) => called.notify(`tell.${name}`, data)),
      'the answer of a server, at the client': this.#answer((name, value) =>
        treeOf(asking).give?.[name]?.({ value }),
      ),
      'the data of a server’s error, at the client': this.#error((name, value) =>
        treeOf(asking).give?.[name]?.({ value, fails: true }),
      ),
      'the answer of a client, at the server': this.#answer((name, value) =>
        treeOf(server.client(given)).give?.[name]?.({ value }),
      ),
      'the data of a client’s error, at the server': this.#error((name, value) =>
        treeOf(server.client(given)).give?.[name]?.({ value, fails: true }),
      ),
    }
    // What clients publish has reached the server when its listeners hear of it.
    checking.sockets.on('publish', (_socket, { data }) => {
      this.#heard(data)
      return true
    })
  }

  count(): number {
    return this.#count
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sites.map((site) => site.stop()))
  }

  async #site(socketController: ServerController): Promise<Site> {
    const site = await Site.start({ socketController, limits: NO_LIMITS, logger: SILENT })
    this.#sites.push(site)
    return site
  }

  #each<T>(make: (name: string) => T): Readonly<Record<string, T>> {
    return Object.fromEntries(this.#names.map((name) => [name, make(name)]))
  }

  #heard(payload: unknown): unknown {
    this.#count += 1
    this.#reach(payload)
    return null
  }

  #input(send: (name: string, payload: unknown) => Promise<unknown>, code = 'invalid_input'): Receiver {
    return { code, send: (name, payload) => this.#outcome(() => send(name, payload)) }
  }

  /** A receiver whose caller gets the payload: it has arrived when the call resolves. */
  #answer(call: (name: string, payload: unknown) => Promise<unknown> | undefined): Receiver {
    const answered = async (name: string, payload: unknown) => this.#heard(await call(name, payload))
    return this.#input(answered, 'invalid_output')
  }

  /** A receiver whose caller gets the payload as the data of an error that the operation declares. */
  #error(call: (name: string, payload: unknown) => Promise<unknown> | undefined): Receiver {
    const answered = async (name: string, payload: unknown) => {
      const error = await call(name, payload)?.catch((thrown: RpcError) => thrown)
      if (!RpcError.is(error) || error.code !== 'declared') throw error
      return this.#heard(error.data)
    }
    return this.#input(answered, 'invalid_output')
  }

  /** No answer says what became of it: it reaches a receiver, or a listener of errors. */
  #silent(send: (name: string, payload: unknown) => Promise<unknown>): Receiver {
    const sent: Route = (name, payload) =>
      new Promise((resolve, reject) => {
        this.#reach = (reached) => resolve({ reached })
        this.#failed = (error) => resolve({ error })
        send(name, payload).catch(reject)
      })
    return { send: sent, code: 'invalid_input' }
  }

  async #outcome(send: () => Promise<unknown>): Promise<Outcome> {
    const reached: unknown[] = []
    this.#reach = (payload) => reached.push(payload)
    this.#failed = () => {}
    try {
      await send()
    } catch (error) {
      if (!RpcError.is(error)) throw error
      if (reached.length === 0) return { error }
    }
    if (reached.length !== 1) throw new Error(`it reached ${reached.length} receivers`)
    return { reached: reached[0] }
  }

  /** A client that hears everything. */
  async #listen(socket: TokenSocket): Promise<ContractClient<Contract>> {
    const client = typedClient(socket, this.#contract, { checkSent: false })
    client.handle({ ask: this.#each(() => (input: unknown) => this.#heard(input)) } as never)
    const { tell } = client as unknown as Tree
    for (const name of this.#names) {
      tell?.[`on${name.charAt(0).toUpperCase()}${name.slice(1)}`]?.((input: unknown) => this.#heard(input))
      const channel = (client as unknown as AnyChannels).channel(name, {})
      channel.bind('say', ({ data }) => this.#heard(data))
      await socket.subscribe(name)
    }
    return client
  }
}

/** The channels of a client, whatever its contract is. */
interface AnyChannels {
  channel(
    name: string,
    parameters: object,
  ): {
    bind(event: string, handler: (message: { readonly data: unknown }) => void): void
  }
}

/** Answers with what it is given, or fails with it. */
function giving(given: unknown): unknown {
  const { value, fails } = given as { readonly value: unknown; readonly fails?: boolean }
  if (fails) throw new RpcError('declared', undefined, value)
  return value
}

function treeOf(functions: unknown): Tree {
  return functions as Tree
}

/** The payloads are many, and most of them are wrong. */
const NO_LIMITS = {
  rate: 1e9,
  wrongMessages: 1e9,
  publicationRate: 1e9,
  publicationBytes: 1e12,
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
