import type { WebSocketLike } from '@token-socket/client'
import type { Member } from '@token-socket/protocol'
import type { ServerController } from '@token-socket/server'
import type { Contract } from '../../contract.js'
import { madeUmd } from '../data/made-umd.js'
import { type ChannelRequest, MemoryChannels } from './memory-channels.js'
import { MemorySocket, type MemorySocketOwner, type MockIdentity } from './memory-socket.js'
import { openMemoryWebSocket } from './memory-websocket.js'

/** A step around what clients ask, as the server's `use` takes it. */
type Step = (request: object, next: () => Promise<unknown>) => unknown

/**
 * A server without a network: the wire of TokenSocket between its clients, which are real ones, and
 * a controller. It has those members of a `TokenSocketServer` that a contract uses.
 */
export class MemoryServer implements MemorySocketOwner {
  readonly controller: ServerController
  readonly channels: MemoryChannels
  readonly #contract: Contract
  readonly #failed: (cause: unknown) => void
  readonly #sockets = new Set<MemorySocket>()
  readonly #steps: { readonly type: string; readonly step: Step }[] = []
  #count = 0

  /** @param failed receives what handlers throw that is no RpcError */
  constructor(contract: Contract, controller: ServerController, failed: (cause: unknown) => void) {
    this.#contract = contract
    this.controller = controller
    this.channels = new MemoryChannels(contract)
    this.#failed = failed
  }

  /** Opens a WebSocket of a client. Whatever its token is, it is let in. */
  connect(identity: MockIdentity = {}): WebSocketLike {
    this.#count += 1
    const number = this.#count
    return openMemoryWebSocket((connection) => new MemorySocket({ ...identity, number }, connection, this))
  }

  /** The sockets that are signed in, in the order in which they came. */
  sockets(): MemorySocket[] {
    return [...this.#sockets]
  }

  /** Puts a step around what clients ask of one type, such as `publish`. */
  use(type: string, step: Step): void {
    this.#steps.push({ type, step })
  }

  /** Publishes as the server. */
  async publish(channel: string, data: unknown, options?: { readonly event?: string }): Promise<unknown> {
    return this.channels.publish({ channel, data, event: options?.event })
  }

  /** The members of a channel. */
  async members(channel: string): Promise<Member[]> {
    return this.channels.members(channel)
  }

  request(socket: MemorySocket, request: ChannelRequest): unknown {
    const steps = this.#steps.filter(({ type }) => type === request.type)
    const run = async (index: number): Promise<unknown> => {
      const step = steps[index]?.step
      return step
        ? step({ ...request, socket }, () => run(index + 1))
        : this.channels.request(socket, request)
    }
    return run(0)
  }

  umdOf(uid: string): Promise<unknown> | undefined {
    return madeUmd(this.#contract, uid)
  }

  failed(cause: unknown): void {
    this.#failed(cause)
  }

  opened(socket: MemorySocket): void {
    this.#sockets.add(socket)
  }

  closed(socket: MemorySocket): void {
    this.#sockets.delete(socket)
  }
}
