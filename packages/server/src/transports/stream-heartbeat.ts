import type { ServerSocket } from '../socket/server-socket.js'
import { HeartbeatMonitor, type HeartbeatOptions, type Peer } from './heartbeat-monitor.js'

/** SockJS's transports whose responses go on: a reader that has vanished is not missed by anybody. */
const STREAMS: ReadonlySet<string> = new Set(['xhr-streaming', 'eventsource', 'htmlfile'])

/** The function that is asked for, and the id of the call: those of others are numbers. */
const PING = '_ping'

/**
 * Notices clients that do not read their streaming response any more: each is called when it has been silent for the
 * ping interval, and closed as `ping_timeout` if it does not answer in time. Whatever it says is an answer.
 */
export class StreamHeartbeat {
  readonly #monitor: HeartbeatMonitor

  constructor(options: HeartbeatOptions) {
    this.#monitor = new HeartbeatMonitor(options)
  }

  /**
   * Watches a socket.
   * @returns a function that undoes it; nothing for other transports, which notice it themselves
   */
  watch(socket: ServerSocket): (() => void) | undefined {
    if (!STREAMS.has(socket.transport)) return undefined
    const reader = new Reader(socket)
    this.#monitor.add(reader)
    return () => this.#monitor.delete(reader)
  }

  /** Watches no one any more. */
  stop(): void {
    this.#monitor.stop()
  }
}

class Reader implements Peer {
  readonly #socket: ServerSocket

  constructor(socket: ServerSocket) {
    this.#socket = socket
  }

  /** Messages do as well as bytes: any more than before is a heartbeat. */
  get bytesRead(): number {
    return this.#socket.received
  }

  get bytesWritten(): number {
    return this.#socket.sent
  }

  ping(): void {
    // Not by `rpc`: however many calls wait, this one is made, and whatever answers it, most likely that there is no such
    // function, is heard by no one.
    this.#socket.sendMessage({ type: 'invoke', id: PING, name: PING, data: undefined })
  }

  terminate(): void {
    this.#socket.closeFor('ping_timeout')
  }
}
