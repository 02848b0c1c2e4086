/** How often peers are asked, and how long they may take. */
export interface HeartbeatOptions {
  /** Milliseconds of silence after which a peer is asked for a heartbeat. */
  readonly pingInterval: number
  /** Milliseconds that it may take to give one. */
  readonly pingTimeout: number
}

/** One end of a link, as far as its life goes. */
export interface Peer {
  /** Bytes that have come from it, ever. */
  readonly bytesRead: number
  /** Bytes that have been sent to it, ever, those that wait included. */
  readonly bytesWritten: number
  /** Asks it for a heartbeat, and gives it one. */
  ping(): void
  /** It is dead. Called once. */
  terminate(): void
}

/** What is known of one peer. A class: a literal with a spread in it would have a shape of its own for each peer. */
class Watch {
  bytesRead: number
  heardAt: number
  /** What was written at the last look. */
  bytesWritten: number
  /** What was written before the peer was heard last: the rest may be on its way. */
  writtenBefore: number
  /** When it was asked for a heartbeat, if it was. */
  askedAt: number | undefined

  constructor({ bytesRead, bytesWritten }: Peer, now: number) {
    this.bytesRead = bytesRead
    this.heardAt = now
    this.bytesWritten = bytesWritten
    this.writtenBefore = bytesWritten
    this.askedAt = undefined
  }

  /** Bytes have come from the peer. */
  heard(bytesRead: number, now: number): void {
    this.bytesRead = bytesRead
    this.heardAt = now
    this.writtenBefore = this.bytesWritten
    this.askedAt = undefined
  }
}

/** Looks in one time-out: being late by a look, twice, must not make a dead peer known too late. */
const CHECKS_PER_TIMEOUT = 5

/** Bytes that may be on their way to a peer without giving it more time. */
const USUAL_BACKLOG = 256 * 1024

/** Bytes that may be on their way at most: beyond what networks buffer, a peer that does not read is a slow consumer. */
const LONGEST_BACKLOG = 16 * 1024 * 1024

/** Bytes a millisecond that a peer is thought to take at least: a ping waits behind what was sent before it. */
const SLOWEST_READER = 64

/**
 * Notices dead peers, with one timer for all of them: each within `pingInterval` + `pingTimeout` of its last byte, later
 * only if a large message was still on its way to it, or if the process itself stood still.
 */
export class HeartbeatMonitor {
  readonly #peers = new Map<Peer, Watch>()
  readonly #interval: number
  readonly #timeout: number
  readonly #timer: NodeJS.Timeout
  /** Milliseconds from one look to the next. */
  readonly #every: number
  #lookedAt = wholeMs()

  constructor({ pingInterval, pingTimeout }: HeartbeatOptions) {
    this.#every = Math.min(pingInterval, pingTimeout) / CHECKS_PER_TIMEOUT
    this.#interval = pingInterval - 3 * this.#every
    this.#timeout = pingTimeout
    this.#timer = setInterval(() => this.#look(wholeMs()), this.#every)
    this.#timer.unref()
  }

  /** How many are watched. */
  get size(): number {
    return this.#peers.size
  }

  /** Watches a peer. */
  add(peer: Peer): void {
    this.#peers.set(peer, new Watch(peer, wholeMs()))
  }

  /** Stops watching it. */
  delete(peer: Peer): void {
    this.#peers.delete(peer)
  }

  /** Watches no one any more. */
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

  /** Milliseconds for which the process stood still: what came meanwhile has not been read yet, and is before the next look. */
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

/** The time in whole milliseconds: those need no object of their own in a field. */
function wholeMs(): number {
  return Math.floor(performance.now())
}

/** Milliseconds that a slow reader may need for what is on its way to it, more than the time-out allows for. */
function delay(backlog: number): number {
  return Math.max(0, Math.min(backlog, LONGEST_BACKLOG) - USUAL_BACKLOG) / SLOWEST_READER
}
