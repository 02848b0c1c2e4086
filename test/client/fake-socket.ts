/** A WebSocket or SockJS object that a test plays the network for. */
import type { WebSocketLike } from '#client/settings/websocket-like.js'

type Handler = ((event: never) => unknown) | null

export class FakeSocket implements WebSocketLike {
  /** Every one that was made, oldest first; a test empties it. */
  static readonly made: FakeSocket[] = []
  readonly sent: string[] = []
  /** What `close` was called with. */
  readonly closes: unknown[][] = []
  transport: string | null = null
  /** As SockJS keeps it. */
  _transport?: object
  onopen: Handler = null
  onmessage: Handler = null
  onclose: Handler = null
  onerror: Handler = null

  readonly parameters: readonly unknown[]

  constructor(...parameters: readonly unknown[]) {
    this.parameters = parameters
    FakeSocket.made.push(this)
  }

  send(text: string): void {
    this.sent.push(text)
  }

  close(...parameters: unknown[]): void {
    this.closes.push(parameters)
  }

  /** Plays an event of the network. */
  play(event: 'open' | 'message' | 'close' | 'error', details: object = {}): void {
    this[`on${event}`]?.(details as never)
  }
}
