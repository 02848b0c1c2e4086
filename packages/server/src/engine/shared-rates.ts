import { attempt } from '../runtime/attempt.js'
import { AgingMap } from './aging-map.js'
import type { Nodes, RateGrant, Rates } from './engine.js'

/** Dependencies of {@link SharedRates}. */
export interface SharedRatesOwner {
  /** The engine's part. @default each node grants an equal share */
  readonly rates?: Rates | undefined
  readonly nodes: Pick<Nodes, 'list' | 'known'>
  /** The amount that a key regains in a second, over all nodes. */
  readonly perSecond: number
  /** The amount that a key may take at once after a pause, over all nodes. */
  readonly burst: number
  /** The prefix of keys in the engine. */
  readonly prefix: string
}

/** The least milliseconds between two requests to the engine about one key. */
const INTERVAL = 50

/** Milliseconds for an answer of the engine; after that it counts as unavailable. */
const PATIENCE = 100

/** Milliseconds between two requests to an unavailable engine. */
const PROBE_INTERVAL = 250

/** Milliseconds between two counts of the nodes, while keys need more than was granted. */
const COUNT_INTERVAL = 1000

/** The part of a second's amount, over all nodes, that is given before the engine is told. */
const SHARE = 0.1

/** The part of the rate by which an unreported debt is forgiven, over all nodes. */
const FORGIVEN = 0.02

/** Milliseconds within which a grant of the engine has to be used. */
const LEASE = 250

/** Milliseconds for which an answer shows what other nodes give at the same time. */
const FRESH = 1000

/** Milliseconds that an answer usually takes. */
const ANSWER_TIME = 10

/** Keys that are checked when one is added: keys after a pause are forgotten. */
const SWEEP = 2

/** This node's knowledge of the bucket of one key. */
interface KeyState {
  /**
   * The content of the engine's bucket at {@link at}, as far as is known; without the engine, this
   * node's share of it.
   */
  left: number
  at: number
  /** Granted by the engine and not used yet; below 0, used and not granted yet. */
  balance: number
  /** Refused here, although the engine may have had it. */
  wanted: number
  /** Given here while the engine was unavailable. */
  spent: number
  /** Whether this node gives its share, without the engine. */
  isAlone: boolean
  isAsking: boolean
  askedAt: number
  answeredAt: number
}

/**
 * Rates that all nodes share, where each request is decided at once. A node gives what the engine
 * has granted it, and its equal share of the engine's bucket, as far as it knows that. The engine
 * is told soon after, and grants more where more is needed. What it does not grant is a debt, which
 * is paid before anything else is given, also after pauses. So each key gets its rate and its burst
 * over all nodes.
 *
 * While the engine is unavailable, each node gives an equal share of the rate, by the last known
 * number of nodes.
 */
export class SharedRates {
  readonly #owner: SharedRatesOwner
  readonly #keys = new AgingMap<KeyState>()
  #counted = 1
  #countedAt = Number.NEGATIVE_INFINITY
  #isAway: boolean
  #probedAt = Number.NEGATIVE_INFINITY

  constructor(owner: SharedRatesOwner) {
    this.#owner = owner
    this.#isAway = owner.rates === undefined
    this.#countNodes(performance.now())
  }

  /** How many keys are known: those without a pause since. */
  get size(): number {
    return this.#keys.size
  }

  /**
   * Takes one, or nothing.
   * @param now milliseconds of `performance.now()`
   * @returns 0 if it was taken; or the whole milliseconds after which it could be
   */
  take(key: string, now = performance.now()): number {
    const state = this.#keys.get(key) ?? this.#add(key, now)
    this.#lookForAnswer(state, now)
    this.#fill(state, now)
    const isGiven = this.#share(state) + state.balance >= 1 - 1e-6
    if (isGiven) give(state)
    else if (!state.isAlone) state.wanted = Math.min(this.#owner.burst, state.wanted + 1)
    this.#ask(key, state, now)
    return isGiven ? 0 : this.#wait(state, now)
  }

  /** Returns what was taken for something that did not happen. */
  restore(key: string): void {
    const state = this.#keys.get(key)
    if (!state) return
    if (!state.isAlone) {
      state.balance += 1
      return
    }
    state.left = Math.min(this.#size(state), state.left + 1)
    state.spent = Math.max(0, state.spent - 1)
  }

  /** The number of nodes, as far as is known without asking. */
  get #nodes(): number {
    return Math.max(1, this.#owner.nodes.known?.() ?? this.#counted)
  }

  /** The amount that may be given before the engine grants it. */
  #share({ isAlone, left }: KeyState): number {
    return isAlone ? left : Math.min(left, Math.max(1, left / this.#nodes))
  }

  /** Milliseconds until one more may be available. */
  #wait(state: KeyState, now: number): number {
    const lacks = 1 - (state.left + state.balance)
    if (lacks > 1e-6) return Math.max(1, Math.ceil((lacks / this.#speed(state)) * 1000))
    const untilAsked = state.isAsking ? 0 : Math.max(0, state.askedAt + INTERVAL - now)
    return Math.ceil(untilAsked) + ANSWER_TIME
  }

  #add(key: string, now: number): KeyState {
    this.#sweep(now)
    const never = Number.NEGATIVE_INFINITY
    const state: KeyState = {
      left: this.#owner.burst,
      at: now,
      balance: 0,
      wanted: 0,
      spent: 0,
      isAlone: this.#isAway,
      isAsking: false,
      askedAt: never,
      answeredAt: never,
    }
    this.#keys.set(key, state)
    return state
  }

  #sweep(now: number): void {
    for (let count = 0; count < SWEEP; count += 1) {
      const [key, state] = this.#keys.takeOldest() ?? []
      if (key === undefined || state === undefined) return
      this.#fill(state, now)
      const hasRested = state.left >= this.#size(state) && state.balance >= 0 && !state.isAsking
      if (!hasRested) this.#keys.set(key, state)
    }
  }

  /** The state of one bucket on this node. */
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
    state.left = Math.min(this.#size(state), state.left + gained)
    if (state.balance > 0 && now - state.answeredAt > LEASE) state.balance = 0
    // Keys with few requests cost no request to the engine.
    const isForgiven = state.balance < 0 && -state.balance < this.#due && !state.isAsking
    if (isForgiven) state.balance = Math.min(0, state.balance + (gained * FORGIVEN) / this.#nodes)
  }

  /** The debt that is allowed before the engine is told. */
  get #due(): number {
    return Math.max(1, (this.#owner.perSecond * SHARE) / this.#nodes)
  }

  /** An engine that does not answer is unavailable: what was given is counted here from now on. */
  #lookForAnswer(state: KeyState, now: number): void {
    if (state.isAsking && now - state.askedAt > PATIENCE) this.#isAway = true
    if (!this.#isAway || state.isAlone) return
    this.#fill(state, now)
    state.isAlone = true
    state.left = state.left / this.#nodes + state.balance
    state.spent = Math.max(0, -state.balance)
    state.balance = 0
    state.wanted = 0
  }

  /** Tells the engine what was given, unless it was told just now. */
  #ask(key: string, state: KeyState, now: number): void {
    const { rates } = this.#owner
    if (!rates || state.isAsking || now - state.askedAt < INTERVAL) return
    if (this.#isAway && now - this.#probedAt < PROBE_INTERVAL) return
    const isDue = -state.balance >= this.#due || state.wanted >= 1
    if (!isDue && !state.isAlone) return
    if (this.#isAway) this.#probedAt = now
    this.#countNodes(now)
    state.isAsking = true
    state.askedAt = now
    this.#request(key, state, rates).then(
      (grant) => this.#granted(key, state, grant),
      () => this.#failed(state),
    )
  }

  async #request(key: string, state: KeyState, rates: Rates): Promise<RateGrant> {
    // So that all requests of this turn are reported at once.
    await null
    const { perSecond, burst, prefix } = this.#owner
    // Above 0, as there may be no debt: then only the answer counts.
    const amount = Math.max(this.#debt(state) + this.#extra(state), 1e-6)
    return rates.take(prefix + key, { perSecond, burst, amount })
  }

  /**
   * The demand beyond what was given. After a pause, what the nodes have given is paid first: each
   * learns what the others have given before it gets more.
   */
  #extra(state: KeyState): number {
    if (state.isAlone || state.askedAt - state.answeredAt > FRESH) return 0
    const { wanted, balance } = state
    state.wanted = 0
    return Math.max(0, wanted - Math.max(0, balance))
  }

  /** What was given; less what the bucket has regained since. */
  #debt(state: KeyState): number {
    if (!state.isAlone) return Math.max(0, -state.balance)
    return Math.max(0, Math.min(state.spent, this.#size(state) - state.left))
  }

  #granted(key: string, state: KeyState, { granted, left, retryAfter }: RateGrant): void {
    this.#isAway = false
    state.balance = granted + (state.isAlone ? -this.#debt(state) : state.balance)
    state.left = left
    state.at = performance.now()
    state.answeredAt = state.at
    state.spent = 0
    state.isAlone = false
    state.isAsking = false
    const isDue = -state.balance >= this.#due || (state.wanted >= 1 && left >= 1)
    if (isDue) this.#askLater(key, state, Math.min(Math.max(INTERVAL, retryAfter), FRESH))
  }

  /** Debts are paid in pauses as well. */
  #askLater(key: string, state: KeyState, ms: number): void {
    const run = () => {
      if (!state.isAlone && !this.#isAway) this.#ask(key, state, performance.now())
    }
    const timer: { unref?(): unknown } = setTimeout(run, ms)
    timer.unref?.()
  }

  #failed(state: KeyState): void {
    this.#isAway = true
    state.isAsking = false
  }

  #countNodes(now: number): void {
    const { nodes } = this.#owner
    if (now - this.#countedAt < COUNT_INTERVAL) return
    this.#countedAt = now
    attempt(() => nodes.list()).then(
      ({ length }) => {
        this.#counted = Math.max(1, length)
      },
      () => {},
    )
  }
}

function give(state: KeyState): void {
  if (!state.isAlone) {
    state.balance -= 1
    return
  }
  state.left -= 1
  state.spent += 1
}
