import type { ServerSocket } from '../socket/server-socket.js'
import { HeartbeatMonitor, type HeartbeatOptions, type Peer } from './heartbeat-monitor.js'

/** SockJS's streaming transports, on which a vanished reader is not detected. */
const STREAMS: ReadonlySet<string> = new Set(['xhr-streaming', 'eventsource', 'htmlfile'])

/** The name of the function, and the id of the call: the ids of other calls are numbers. */
const PING = '_ping'

/**
 * Detects clients that no longer read their streaming response. It calls each client that has been
 * silent for the ping interval, and closes it as `ping_timeout` if it does not answer in time.
 * Every message counts as an answer.
 */
export class StreamHeartbeat {
  readonly #monitor: HeartbeatMonitor

  constructor(options: HeartbeatOptions) {
    this.#monitor = new HeartbeatMonitor(options)
  }

  /**
   * Watches a socket.
   * @returns a function that stops watching; nothing for other transports, which detect this
   *   themselves
   */
  watch(socket: ServerSocket): (() => void) | undefined {
    if (!STREAMS.has(socket.transport)) return undefined
    const reader = new Reader(socket)
    this.#monitor.add(reader)
    return () => this.#monitor.delete(reader)
  }

  /** Stops watching all sockets. */
  stop(): void {
    this.#monitor.stop()
  }
}

class Reader implements Peer {
  readonly #socket: ServerSocket

  constructor(socket: ServerSocket) {
    this.#socket = socket
  }

  /** Messages replace bytes here: any further message is a heartbeat. */
  get bytesRead(): number {
    return this.#socket.received
  }

  get bytesWritten(): number {
    return this.#socket.sent
  }

  ping(): void {
    // Not by `rpc`: the call is sent however many calls wait. Its answer, most likely `not_found`,
    // is ignored.
    this.#socket.sendMessage({ type: 'invoke', id: PING, name: PING, data: undefined })
  }

  terminate(): void {
    this.#socket.closeFor('ping_timeout')
  }
}
