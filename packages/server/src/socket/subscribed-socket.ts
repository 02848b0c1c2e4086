import { checkSocketData, type SocketData } from '../claims/socket-data.js'
import { ConnectedSocket } from './connected-socket.js'

/** A socket with its channels, and with the application's own data. */
export abstract class SubscribedSocket extends ConnectedSocket {
  /** Created with its first channel. */
  #channels: Set<string> | undefined
  #data: SocketData | undefined

  /**
   * The application's own object about the socket. It is empty at first, and never sent. It can be
   * replaced by another object.
   * @throws RpcError `bad_message`
   */
  get data(): SocketData {
    this.#data ??= {}
    return this.#data
  }
  set data(data: SocketData) {
    this.#data = checkSocketData(data)
  }

  /** Returns {@link data} if the application has used it, without creating it. @internal */
  get usedData(): SocketData | undefined {
    return this.#data
  }

  /**
   * The names of the channels that it is subscribed to. With the option `channelsAsObject` they are
   * the keys of an object.
   */
  get channels(): string[] {
    if (!this.channelsAsObject) return this.channelNames
    return Object.fromEntries(this.channelNames.map((channel) => [channel, true])) as unknown as string[]
  }

  /** The same, always as a list. @internal */
  get channelNames(): string[] {
    return this.#channels ? [...this.#channels] : []
  }

  /** Whether {@link channels} is an object. @internal */
  protected abstract get channelsAsObject(): boolean

  /** Whether it is subscribed to a channel. @internal */
  isOn(channel: string): boolean {
    return this.#channels?.has(channel) ?? false
  }

  /** Records that it is on a channel. @internal */
  addChannel(channel: string): void {
    this.#channels ??= new Set()
    this.#channels.add(channel)
  }

  /** Records that it has left a channel. @internal */
  removeChannel(channel: string): void {
    this.#channels?.delete(channel)
  }

  /** Records that it has left all channels. @internal */
  protected clearChannels(): void {
    this.#channels = undefined
  }
}
