/** How often peers are pinged, and how long they may take to answer. */
export interface HeartbeatOptions {
  /** Milliseconds without data after which a peer is pinged. */
  readonly pingInterval: number
  /** Milliseconds that it may take to answer. */
  readonly pingTimeout: number
}

/** A connection to a peer, as {@link HeartbeatMonitor} uses it. */
export interface Peer {
  /** Total bytes received from it. */
  readonly bytesRead: number
  /** Total bytes sent to it, including those still buffered. */
  readonly bytesWritten: number
  /** Sends it a ping. */
  ping(): void
  /** Terminates the connection, because the peer is dead. Called once. */
  terminate(): void
}

/**
 * The state of one peer. It is a class, because an object literal with a spread would have a hidden
 * class of its own for each peer.
 */
class Watch {
  bytesRead: number
  heardAt: number
  /** Bytes written at the last check. */
  bytesWritten: number
  /**
   * Bytes written before data last arrived from the peer. Later bytes may still be on their way.
   */
  writtenBefore: number
  /** When it was pinged, if it was. */
  askedAt: number | undefined

  constructor({ bytesRead, bytesWritten }: Peer, now: number) {
    this.bytesRead = bytesRead
    this.heardAt = now
    this.bytesWritten = bytesWritten
    this.writtenBefore = bytesWritten
    this.askedAt = undefined
  }

  /** Data has arrived from the peer. */
  heard(bytesRead: number, now: number): void {
    this.bytesRead = bytesRead
    this.heardAt = now
    this.writtenBefore = this.bytesWritten
    this.askedAt = undefined
  }
}

/**
 * Checks in one time-out: a dead peer is detected in time, although two checks may each be late by
 * one interval.
 */
const CHECKS_PER_TIMEOUT = 5

/** Bytes that may be on their way to a peer without giving it more time. */
const USUAL_BACKLOG = 256 * 1024

/**
 * Bytes on their way that count, at most. A peer that leaves more than networks buffer unread is a
 * slow consumer.
 */
const LONGEST_BACKLOG = 16 * 1024 * 1024

/**
 * Bytes a millisecond that the slowest supported peer reads: a ping waits behind the data sent
 * before it.
 */
const SLOWEST_READER = 64

/**
 * Detects dead peers, with one timer for all of them. It terminates each within `pingInterval` +
 * `pingTimeout` of its last byte. That takes longer only if a large message was still on its way,
 * or the process was stopped.
 */
export class HeartbeatMonitor {
  readonly #peers = new Map<Peer, Watch>()
  readonly #interval: number
  readonly #timeout: number
  readonly #timer: NodeJS.Timeout
  /** Milliseconds between two checks. */
  readonly #every: number
  #lookedAt = wholeMs()

  constructor({ pingInterval, pingTimeout }: HeartbeatOptions) {
    this.#every = Math.min(pingInterval, pingTimeout) / CHECKS_PER_TIMEOUT
    this.#interval = pingInterval - 3 * this.#every
    this.#timeout = pingTimeout
    this.#timer = setInterval(() => this.#look(wholeMs()), this.#every)
    this.#timer.unref()
  }

  /** How many peers are watched. */
  get size(): number {
    return this.#peers.size
  }

  /** Watches a peer. */
  add(peer: Peer): void {
    this.#peers.set(peer, new Watch(peer, wholeMs()))
  }

  /** Stops watching a peer. */
  delete(peer: Peer): void {
    this.#peers.delete(peer)
  }

  /** Stops watching all peers. */
  stop(): void {
    clearInterval(this.#timer)
    this.#peers.clear()
  }

  #look(now: number): void {
    const pause = this.#pauseUntil(now)
    for (const [peer, watch] of this.#peers) {
      const { bytesRead, bytesWritten } = peer
      if (bytesRead !== watch.bytesRead) watch.heard(bytesRead, now)
      else if (watch.askedAt !== undefined) {
        watch.askedAt += pause
        if (now >= watch.askedAt + this.#timeout + delay(bytesWritten - watch.writtenBefore))
          this.#terminate(peer)
      } else if (now - watch.heardAt >= this.#interval) {
        watch.askedAt = now
        peer.ping()
      }
      watch.bytesWritten = peer.bytesWritten
    }
  }

  /**
   * Returns how many milliseconds the process was stopped. Data that arrived meanwhile is only read
   * after this check.
   */
  #pauseUntil(now: number): number {
    const gap = now - this.#lookedAt
    this.#lookedAt = now
    return gap > 2 * this.#every ? gap : 0
  }

  #terminate(peer: Peer): void {
    this.#peers.delete(peer)
    peer.terminate()
  }
}

/** Returns the time in whole milliseconds: small integers need no heap object in a field. */
function wholeMs(): number {
  return Math.floor(performance.now())
}

/**
 * Returns the milliseconds that a slow reader needs for the data on its way, in addition to the
 * time-out.
 */
function delay(backlog: number): number {
  return Math.max(0, Math.min(backlog, LONGEST_BACKLOG) - USUAL_BACKLOG) / SLOWEST_READER
}
