import type { Member } from '@token-socket/protocol'
import type { PresenceSnapshot } from '../engine/engine.js'
import { eventLoop } from '../runtime/event-loop.js'
import { readMember } from './presence-view.js'

/**
 * UTF-16 code units of members in the lists of one turn of the event loop, for all sockets. One
 * list may have more.
 */
const PER_TURN = 1024 * 1024

/** The size of a member without its `uid` and `umd`, about. */
const FRAME = 20

/** A list that was built in this turn, and the state of the members that it shows. */
interface Made extends Pick<PresenceSnapshot, 'seq' | 'epoch'> {
  readonly members: readonly Member[]
}

/**
 * Builds the lists of members for sockets, about 1 MiB in a turn of the event loop, in the order of
 * the requests. Requests for the same list in one turn share it.
 */
export class MemberLists {
  readonly #waiting: { readonly size: number; readonly run: () => void }[] = []
  readonly #made = new Map<string, Made>()
  #spent = 0
  #isArmed = false

  /** Waits until a list may be built, and counts it. @returns nothing if that is now */
  turn({ members }: PresenceSnapshot): Promise<void> | undefined {
    const size = members.reduce((sum, { uid, umd = '' }) => sum + uid.length + umd.length + FRAME, 0)
    this.#arm()
    if (this.#waiting.length > 0 || !this.#hasRoom(size)) {
      return new Promise((run) => {
        this.#waiting.push({ size, run })
      })
    }
    this.#spent += size
    return undefined
  }

  /** Returns the members of a channel as clients see them. The caller must not change the list. */
  make(channel: string, { members, seq, epoch }: PresenceSnapshot): readonly Member[] {
    const known = this.#made.get(channel)
    if (known?.seq === seq && known.epoch === epoch) return known.members
    const list = members.map(readMember)
    this.#made.set(channel, { seq, epoch, members: list })
    this.#arm()
    return list
  }

  #hasRoom(size: number): boolean {
    return this.#spent === 0 || this.#spent + size <= PER_TURN
  }

  #arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    eventLoop.setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#isArmed = false
    this.#spent = 0
    this.#made.clear()
    if (this.#waiting.length > 0) this.#arm()
    for (let next = this.#waiting[0]; next && this.#hasRoom(next.size); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#spent += next.size
      next.run()
    }
  }
}
