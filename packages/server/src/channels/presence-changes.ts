import type { PresenceEvent } from '../engine/engine.js'

/** Changes of one channel that follow each other: of one epoch, and without a gap in `seq`. At least one. */
export class PresenceChanges {
  readonly events: readonly PresenceEvent[]
  readonly #encode: (event: PresenceEvent) => string
  #frames: readonly string[] | undefined

  /** @param encode a change as it goes out */
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

  /** What tells them to a socket that knows all before a `seq`: at most one frame for each member. Encoded once. */
  framesAfter(seq: number): readonly string[] {
    if (seq >= this.first.seq) return this.#encodeAll(this.events.filter((event) => event.seq > seq))
    this.#frames ??= this.#encodeAll(this.events)
    return this.#frames
  }

  #encodeAll(events: readonly PresenceEvent[]): string[] {
    return mergeChanges(events).map(this.#encode)
  }
}

/** Splits changes where one is missing, or another epoch begins. */
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
 * What several changes that follow each other come to: at most one for each member, in the order of its last one. A member
 * that came and went was never there; one that went and came back has at most changed its `umd`.
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
