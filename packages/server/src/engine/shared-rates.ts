import type { Nodes, RateGrant, Rates } from '../engine.js'
import { AgingMap } from './aging-map.js'

/** Dependencies of {@link SharedRates}. */
export interface SharedRatesOwner {
  /** What the engine has of it. @default each node gives an equal share */
  readonly rates?: Rates | undefined
  readonly nodes: Pick<Nodes, 'list'>
  /** Amount that a key regains in a second, over all nodes. */
  readonly perSecond: number
  /** Amount that a key may take at once after a rest, over all nodes. */
  readonly burst: number
  /** What goes before a key in the engine. */
  readonly prefix: string
}

/** Milliseconds between two requests to the engine about one key, at least. */
const INTERVAL = 50

/** Milliseconds that the engine may take for an answer; then it counts as away. */
const PATIENCE = 100

/** Milliseconds between two requests to an engine that is away. */
const PROBE_INTERVAL = 250

/** Milliseconds between two counts of the nodes. */
const COUNT_INTERVAL = 5000

/** The part of a second's amount, over all nodes, that is taken before the engine is told. */
const SHARE = 0.1

/** Keys that are looked at when one more comes: those that have rested are forgotten. */
const SWEEP = 2

/** What this node knows of the bucket of one key. */
interface KeyState {
  /**
   * What the engine's bucket had at {@link at}, as far as is known; without the engine, this node's
   * share of it.
   */
  left: number
  at: number
  /** Taken here, and not granted by the engine yet. */
  owed: number
  /** Taken here while the engine was away. */
  spent: number
  /** Whether this node gives its share, without the engine. */
  isAlone: boolean
  isAsking: boolean
  askedAt: number
}

/**
 * Rates that all nodes share, where each take is decided at once. A node takes what it believes to
 * be there, and the engine is told soon after: the answer says what there is. What two nodes have
 * taken at the same moment is owed, and paid before anything else is given. So each key gets its
 * rate over all nodes; at one moment it may have the burst on each.
 *
 * While the engine is away, each node gives an equal share of the rate, by the number of nodes that
 * it knew last.
 */
export class SharedRates {
  readonly #owner: SharedRatesOwner
  readonly #keys = new AgingMap<KeyState>()
  #nodes = 1
  #countedAt = Number.NEGATIVE_INFINITY
  #isAway: boolean
  #probedAt = Number.NEGATIVE_INFINITY

  constructor(owner: SharedRatesOwner) {
    this.#owner = owner
    this.#isAway = owner.rates === undefined
    this.#countNodes(performance.now())
  }

  /** How many keys are known: those that have not rested since. */
  get size(): number {
    return this.#keys.size
  }

  /**
   * Takes one, or nothing.
   * @param now milliseconds of `performance.now()`
   * @returns 0 if it was taken; else the whole milliseconds after which it could be
   */
  take(key: string, now = performance.now()): number {
    const state = this.#keys.get(key) ?? this.#add(key, now)
    this.#lookForAnswer(state, now)
    this.#fill(state, now)
    const lacks = 1 - (state.left - state.owed)
    if (lacks <= 1e-6) {
      if (state.isAlone) {
        state.left -= 1
        state.spent += 1
      } else state.owed += 1
    }
    this.#ask(key, state, now)
    return lacks <= 1e-6 ? 0 : Math.max(1, Math.ceil((lacks / this.#speed(state)) * 1000))
  }

  /** Gives back what was taken for something that did not happen after all. */
  restore(key: string): void {
    const state = this.#keys.get(key)
    if (!state) return
    if (!state.isAlone && state.owed >= 1) state.owed -= 1
    else state.left = Math.min(this.#size(state), state.left + 1)
  }

  #add(key: string, now: number): KeyState {
    this.#sweep(now)
    const { burst } = this.#owner
    const state: KeyState = {
      left: burst,
      at: now,
      owed: 0,
      spent: 0,
      isAlone: this.#isAway,
      isAsking: false,
      askedAt: Number.NEGATIVE_INFINITY,
    }
    this.#keys.set(key, state)
    return state
  }

  #sweep(now: number): void {
    for (let count = 0; count < SWEEP; count += 1) {
      const [key, state] = this.#keys.takeOldest() ?? []
      if (key === undefined || state === undefined) return
      this.#fill(state, now)
      const hasRested = state.left - state.owed >= this.#size(state) && !state.isAsking
      if (!hasRested) this.#keys.set(key, state)
    }
  }

  /** What one bucket holds here. */
  #size({ isAlone }: KeyState): number {
    const { burst } = this.#owner
    return isAlone ? Math.max(1, burst / this.#nodes) : burst
  }

  #speed({ isAlone }: KeyState): number {
    const { perSecond } = this.#owner
    return isAlone ? perSecond / this.#nodes : perSecond
  }

  #fill(state: KeyState, now: number): void {
    const gained = (Math.max(0, now - state.at) / 1000) * this.#speed(state)
    state.at = now
    state.left += gained
    if (state.left - state.owed < this.#size(state)) return
    // It has rested: whatever was taken, the bucket would be full by now.
    state.left = this.#size(state)
    if (!state.isAsking) state.owed = 0
  }

  /**
   * An engine that does not answer, also to others, is away: what was taken is counted here from
   * now on.
   */
  #lookForAnswer(state: KeyState, now: number): void {
    if (state.isAsking && now - state.askedAt > PATIENCE) this.#isAway = true
    if (!this.#isAway || state.isAlone) return
    this.#fill(state, now)
    state.isAlone = true
    state.spent = state.owed
    state.left -= state.owed
    state.owed = 0
  }

  /** Tells the engine what was taken, unless it was told just now. */
  #ask(key: string, state: KeyState, now: number): void {
    const { rates, perSecond, burst, prefix } = this.#owner
    if (!rates || state.isAsking || now - state.askedAt < INTERVAL) return
    if (this.#isAway && now - this.#probedAt < PROBE_INTERVAL) return
    const isDue = state.owed >= Math.max(1, (perSecond * SHARE) / this.#nodes)
    if (!isDue && !state.isAlone) return
    if (this.#isAway) this.#probedAt = now
    this.#countNodes(now)
    state.isAsking = true
    state.askedAt = now
    // Above 0, as there may be nothing to pay for: then the answer alone counts.
    const amount = Math.max(state.owed + this.#debt(state), 1e-6)
    const request = attempt(() => rates.take(prefix + key, { perSecond, burst, amount }))
    request.then(
      (grant) => this.#granted(state, grant),
      () => this.#failed(state),
    )
  }

  /** What was taken alone, but for what the bucket has regained since. */
  #debt(state: KeyState): number {
    return state.isAlone ? Math.max(0, Math.min(state.spent, this.#size(state) - state.left)) : 0
  }

  #granted(state: KeyState, { granted, left }: RateGrant): void {
    this.#isAway = false
    state.owed = Math.max(0, state.owed + this.#debt(state) - granted)
    state.left = left
    state.at = performance.now()
    state.spent = 0
    state.isAlone = false
    state.isAsking = false
  }

  #failed(state: KeyState): void {
    this.#isAway = true
    state.isAsking = false
  }

  #countNodes(now: number): void {
    if (now - this.#countedAt < COUNT_INTERVAL) return
    this.#countedAt = now
    attempt(() => this.#owner.nodes.list()).then(
      (nodes) => {
        this.#nodes = Math.max(1, nodes.length)
      },
      () => {},
    )
  }
}

/** An engine of others may throw where it has to reject. */
async function attempt<Result>(run: () => Promise<Result>): Promise<Result> {
  return run()
}
