/** What happens in the model, made of a seed. */
import { Random } from '../../protocol/random.js'

/** What can happen, and how often. */
const ACTS = {
  serverPublish: 10,
  publish: 7,
  subscribe: 9,
  channelToken: 2,
  unsubscribe: 3,
  history: 3,
  serverSubscribe: 2,
  serverUnsubscribe: 1,
  reauthorize: 9,
  refresh: 6,
  renew: 1,
  revoke: 3,
  drop: 2,
  connect: 8,
  wait: 6,
} as const

export type ActName = keyof typeof ACTS

/** One thing that happens. */
export interface Step {
  readonly act: ActName
  /** What it needs to choose is made of this: a shorter story chooses the same. */
  readonly seed: number
  /** Turns of the event loop after it; below 0, so many microtasks. */
  readonly turns: number
}

/** One story. */
export interface Story {
  /** Whether the server has listeners. */
  readonly listens: boolean
  /** How the pauses of its parts are made. */
  readonly seed: number
  readonly steps: readonly Step[]
}

const CHOICES = (Object.keys(ACTS) as ActName[]).flatMap((act) => Array<ActName>(ACTS[act]).fill(act)) as [
  ActName,
]

/** A story of 30 to 50 steps. */
export function makeStory(seed: number): Story {
  const random = new Random(seed)
  const step = (): Step => ({
    act: random.pick(CHOICES),
    seed: random.number(1_000_000_000),
    turns: random.pick([0, 0, 0, -1, -3, 1, 1, 2, 4]),
  })
  const steps = Array.from({ length: 30 + random.number(21) }, step)
  return { listens: random.number(2) === 0, seed, steps }
}
