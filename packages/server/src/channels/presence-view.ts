import { decodeData, encodeServerMessage, type Member } from '@token-socket/protocol'
import type { PresenceEntry, PresenceEvent, PresenceMember, PresenceSnapshot } from '../engine/engine.js'
import type { ServerSocket } from '../socket/server-socket.js'
import { followingChanges, type PresenceChanges } from './presence-changes.js'

/** Changes that are buffered, at most. */
const HELD = 1000

/**
 * What one socket knows of a channel's members: the members, then each later change, in order,
 * without gaps or duplicates. Changes are buffered until the socket has received the members: at
 * the beginning, and after it has fallen behind.
 */
export class PresenceView {
  readonly entry: PresenceEntry
  readonly #socket: ServerSocket
  /** Buffered changes; `undefined` while changes are sent directly. */
  #held: PresenceEvent[] | undefined = []
  #at: Pick<PresenceSnapshot, 'seq' | 'epoch'> | undefined
  #isBehind = false
  #hasBegun = false

  constructor(socket: ServerSocket, entry: PresenceEntry) {
    this.#socket = socket
    this.entry = entry
  }

  /**
   * Whether changes are missing, so that the members have to be sent again. Never before they were
   * sent once.
   */
  get isBehind(): boolean {
    return this.#isBehind && this.#hasBegun
  }

  /** Receives changes. */
  hear(changes: PresenceChanges): void {
    if (this.#held) return this.#hold(changes.events)
    const { first, last } = changes
    const known = this.#at?.epoch === first.epoch ? this.#at.seq : undefined
    if (known !== undefined && last.seq <= known) return
    if (known === undefined || first.seq > known + 1) return this.fallBehind()
    this.#at = last
    if (this.#socket.isLegacy) return
    for (const frame of changes.framesAfter(known)) this.#socket.deliver(frame)
  }

  /** Buffers changes from now on, because the members are about to be read. */
  hold(): void {
    this.#held = []
    this.#isBehind = false
  }

  /** The socket has received these members: sends the later changes. */
  follow(snapshot: PresenceSnapshot): void {
    const held = this.#held ?? []
    this.#held = undefined
    this.#hasBegun = true
    this.#at = snapshot
    if (this.#isBehind) return this.fallBehind()
    // Changes before the members' own last change may belong to a count that was lost.
    const known = held.findLastIndex(({ seq, epoch }) => epoch === snapshot.epoch && seq <= snapshot.seq)
    for (const changes of followingChanges(held.slice(known + 1), encodePresence)) this.hear(changes)
  }

  /** Changes are missing, or will be. */
  fallBehind(): void {
    this.#isBehind = true
    this.#held = []
  }

  /** Sends a frame, unless the client is a legacy one. */
  tell(frame: string): void {
    if (!this.#socket.isLegacy) this.#socket.deliver(frame)
  }

  #hold(events: readonly PresenceEvent[]): void {
    for (const event of events) {
      if (this.#held && this.#held.length < HELD) this.#held.push(event)
      else this.fallBehind()
    }
  }
}

/** Encodes a change. */
export function encodePresence({ channel, change, ...member }: PresenceEvent): string {
  return encodeServerMessage({ type: 'presence', channel, change, ...readMember(member) })
}

/** A member as clients and applications see it. */
export function readMember({ uid, umd }: PresenceMember): Member {
  return umd === undefined ? { uid } : { uid, umd: decodeData(umd) }
}
