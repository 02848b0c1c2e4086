import { checkSocketData, type SocketData } from '../claims/socket-data.js'
import { ConnectedSocket } from './connected-socket.js'

/** A socket with what is noted about it: its channels, and the application's own object. */
export abstract class SubscribedSocket extends ConnectedSocket {
  readonly #channels = new Set<string>()
  #data: SocketData | undefined

  /**
   * The application's own object: empty at first, never sent. Set it to another object.
   * @throws RpcError `bad_message`
   */
  get data(): SocketData {
    this.#data ??= {}
    return this.#data
  }
  set data(data: SocketData) {
    this.#data = checkSocketData(data)
  }

  /** Its {@link data}, if the application has used it: looking does not make it. @internal */
  get usedData(): SocketData | undefined {
    return this.#data
  }

  /**
   * The names of the channels that it is subscribed to. With the option `channelsAsObject` it is an
   * object of which they are the keys.
   */
  get channels(): string[] {
    if (!this.channelsAsObject) return this.channelNames
    return Object.fromEntries([...this.#channels].map((channel) => [channel, true])) as unknown as string[]
  }

  /** The same, always as a list. @internal */
  get channelNames(): string[] {
    return [...this.#channels]
  }

  /** Whether {@link channels} is an object. @internal */
  protected abstract get channelsAsObject(): boolean

  /** Whether it is subscribed to a channel. @internal */
  isOn(channel: string): boolean {
    return this.#channels.has(channel)
  }

  /** Notes that it is on a channel from now on. @internal */
  addChannel(channel: string): void {
    this.#channels.add(channel)
  }

  /** Notes that it is not on a channel any more. @internal */
  removeChannel(channel: string): void {
    this.#channels.delete(channel)
  }

  /** Notes that it is on no channel any more. @internal */
  protected clearChannels(): void {
    this.#channels.clear()
  }
}
