/** How often peers are asked, and how long they may take. */
export interface LivenessOptions {
  /** Milliseconds of silence after which a peer is asked for a sign of life. */
  readonly pingInterval: number
  /** Milliseconds that it may take to give one. */
  readonly pingTimeout: number
}

/** One end of a link, as far as its life goes. */
export interface Peer {
  /** Bytes that have come from it, ever. */
  readonly bytesRead: number
  /** Bytes that wait for it. */
  readonly bufferedBytes: number
  /** Asks it for a sign of life, and gives it one. */
  ping(): void
  /** It is dead. Called once. */
  cut(): void
}

interface Watch {
  bytesRead: number
  heardAt: number
  /** When a peer that was asked is given up. */
  deadline: number | undefined
}

/** Looks in one time-out: being late by a look, twice, must not make a dead peer known too late. */
const LOOKS = 5

/** Bytes that may wait for a peer without giving it more time. */
const USUAL_BACKLOG = 256 * 1024

/** Bytes a millisecond that a peer is thought to take at least: a ping waits behind what was sent before it. */
const SLOWEST_READER = 64

/**
 * Notices dead peers, with one timer for all of them: each within `pingInterval` + `pingTimeout` of its last byte, later
 * only if a large message was still on its way to it.
 */
export class Liveness {
  readonly #peers = new Map<Peer, Watch>()
  readonly #interval: number
  readonly #timeout: number
  readonly #timer: NodeJS.Timeout

  constructor({ pingInterval, pingTimeout }: LivenessOptions) {
    const look = Math.min(pingInterval, pingTimeout) / LOOKS
    this.#interval = pingInterval - 3 * look
    this.#timeout = pingTimeout
    this.#timer = setInterval(() => this.#look(performance.now()), look)
    this.#timer.unref()
  }

  /** How many are watched. */
  get size(): number {
    return this.#peers.size
  }

  /** Watches a peer. */
  add(peer: Peer): void {
    this.#peers.set(peer, { bytesRead: peer.bytesRead, heardAt: performance.now(), deadline: undefined })
  }

  /** Watches it no more. */
  delete(peer: Peer): void {
    this.#peers.delete(peer)
  }

  /** Watches nobody any more. */
  stop(): void {
    clearInterval(this.#timer)
    this.#peers.clear()
  }

  #look(now: number): void {
    for (const [peer, watch] of this.#peers) {
      if (peer.bytesRead !== watch.bytesRead) {
        Object.assign(watch, { bytesRead: peer.bytesRead, heardAt: now, deadline: undefined })
      } else if (watch.deadline !== undefined) {
        if (now >= watch.deadline) this.#cut(peer)
      } else if (now - watch.heardAt >= this.#interval) {
        watch.deadline =
          now + this.#timeout + Math.max(0, peer.bufferedBytes - USUAL_BACKLOG) / SLOWEST_READER
        peer.ping()
      }
    }
  }

  #cut(peer: Peer): void {
    this.#peers.delete(peer)
    peer.cut()
  }
}
