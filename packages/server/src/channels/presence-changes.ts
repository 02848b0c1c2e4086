import type { PresenceEvent } from '../engine/engine.js'

/** Consecutive changes of one channel: of one epoch, without a gap in `seq`. At least one. */
export class PresenceChanges {
  readonly events: readonly PresenceEvent[]
  readonly #encode: (event: PresenceEvent) => string
  #frames: readonly string[] | undefined

  /** @param encode encodes a change */
  constructor(events: readonly PresenceEvent[], encode: (event: PresenceEvent) => string) {
    this.events = events
    this.#encode = encode
  }

  get first(): PresenceEvent {
    return this.events[0] as PresenceEvent
  }

  get last(): PresenceEvent {
    return this.events[this.events.length - 1] as PresenceEvent
  }

  /**
   * Returns the frames for a socket that knows all changes up to `seq`: at most one for each
   * member. They are encoded once.
   */
  framesAfter(seq: number): readonly string[] {
    if (seq >= this.first.seq) return this.#encodeAll(this.events.filter((event) => event.seq > seq))
    this.#frames ??= this.#encodeAll(this.events)
    return this.#frames
  }

  #encodeAll(events: readonly PresenceEvent[]): string[] {
    return mergeChanges(events).map(this.#encode)
  }
}

/** Splits changes where one is missing, or where another epoch begins. */
export function followingChanges(
  events: readonly PresenceEvent[],
  encode: (event: PresenceEvent) => string,
): PresenceChanges[] {
  const runs: PresenceEvent[][] = []
  for (const event of events) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    if (run && last?.epoch === event.epoch && last.seq + 1 === event.seq) run.push(event)
    else runs.push([event])
  }
  return runs.map((run) => new PresenceChanges(run, encode))
}

/**
 * Merges consecutive changes: at most one for each member, in the order of its last change. A
 * member that joined and left is dropped. A member that left and joined again has at most changed
 * its `umd`.
 */
export function mergeChanges(events: readonly PresenceEvent[]): readonly PresenceEvent[] {
  if (events.length === 1) return events
  const members = new Map<string, { readonly first: PresenceEvent; readonly last: PresenceEvent }>()
  for (const event of events) {
    const first = members.get(event.uid)?.first ?? event
    members.delete(event.uid)
    members.set(event.uid, { first, last: event })
  }
  return [...members.values()].flatMap(({ first, last }) => mergePair(first, last))
}

function mergePair(first: PresenceEvent, last: PresenceEvent): PresenceEvent[] {
  const wasThere = first.change !== 'joined'
  const isThere = last.change !== 'left'
  if (!wasThere && !isThere) return []
  if (!isThere) return [last]
  if (!wasThere) return [{ ...last, change: 'joined' }]
  if (first.change === 'left' && first.umd === last.umd) return []
  return [{ ...last, change: 'updated' }]
}
