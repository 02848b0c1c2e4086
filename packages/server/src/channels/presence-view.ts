import { decodeData, encodeServerMessage, type Member } from '@token-socket/protocol'
import type { PresenceEntry, PresenceEvent, PresenceMember, PresenceSnapshot } from '../engine/engine.js'
import type { ServerSocket } from '../socket/server-socket.js'
import { followingChanges, type PresenceChanges } from './presence-changes.js'

/** Changes that are held at most. */
const HELD = 1000

/**
 * What one socket knows of who is on a channel: the members, then each change after them, in order, none missing and none
 * twice. Changes are held back until the socket has been told the members: when the view begins, and when it has fallen
 * behind.
 */
export class PresenceView {
  readonly entry: PresenceEntry
  readonly #socket: ServerSocket
  /** What has come since; `undefined` while changes reach the socket by themselves. */
  #held: PresenceEvent[] | undefined = []
  #at: Pick<PresenceSnapshot, 'seq' | 'epoch'> | undefined
  #isBehind = false
  #hasBegun = false

  constructor(socket: ServerSocket, entry: PresenceEntry) {
    this.#socket = socket
    this.entry = entry
  }

  /** Whether changes are missing: the members have to be told anew. Never before they were told once. */
  get isBehind(): boolean {
    return this.#isBehind && this.#hasBegun
  }

  /** There were changes. */
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

  /** Holds changes back from now on: the members are about to be asked for. */
  hold(): void {
    this.#held = []
    this.#isBehind = false
  }

  /** The socket has been told these members: what came after them follows. */
  follow(snapshot: PresenceSnapshot): void {
    const held = this.#held ?? []
    this.#held = undefined
    this.#hasBegun = true
    this.#at = snapshot
    if (this.#isBehind) return this.fallBehind()
    // What is before the members' own last change may be of a count that was lost.
    const known = held.findLastIndex(({ seq, epoch }) => epoch === snapshot.epoch && seq <= snapshot.seq)
    for (const changes of followingChanges(held.slice(known + 1), encodePresence)) this.hear(changes)
  }

  /** Changes are missing, or will be. */
  fallBehind(): void {
    this.#isBehind = true
    this.#held = []
  }

  /** Tells the members, unless the client is an old one. */
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

/** A change as it goes out. */
export function encodePresence({ channel, change, ...member }: PresenceEvent): string {
  return encodeServerMessage({ type: 'presence', channel, change, ...readMember(member) })
}

/** A member as clients and applications see it. */
export function readMember({ uid, umd }: PresenceMember): Member {
  return umd === undefined ? { uid } : { uid, umd: decodeData(umd) }
}
