/** Histories of a client and a server, made of a seed. */
import type { Random } from '../../protocol/random.js'

/** A channel that keeps nothing, one that keeps its publications, and one that has presence besides. */
export const CHANNELS = ['plain', 'kept', 'room'] as const
export type ChannelName = (typeof CHANNELS)[number]

/** What on the server may be slow, or fail. */
export const PARTS = ['decide', 'broker', 'history', 'presence'] as const
export type Part = (typeof PARTS)[number]

/** Moments between two steps: a part of the server is asked, or has answered; the client's application is told something. */
export const MOMENTS = [...PARTS, 'subscribed', 'unsubscribed', 'refused', 'gap', 'message', 'loss'] as const
export type Moment = (typeof MOMENTS)[number]

/** What is done at once. */
export type Act =
  | readonly [
      act: 'subscribe' | 'unsubscribe' | 'bind' | 'unbind' | 'kick' | 'kickAll' | 'grant' | 'publish',
      channel: ChannelName,
    ]
  | readonly [act: 'refuse' | 'allow', event: 'subscribe' | 'unsubscribe']
  | readonly [act: 'slow', part: Part, milliseconds: number]
  | readonly [act: 'break' | 'mend', part: Part]
  /**
   * The connection is lost; the client leaves it, or wants it again; the server closes it; or the next publication that has an
   * offset is lost, on its way to the client.
   */
  | readonly [act: 'cut' | 'suspend' | 'resume' | 'close' | 'drop']

/** One thing that happens. */
export type Step =
  | Act
  /** Something is done at the next such moment. */
  | readonly [act: 'upon', moment: Moment, then: Act]
  | readonly [act: 'wait', milliseconds: number]
  /** Runs what needs no time, for so many turns of the event loop. */
  | readonly [act: 'turn', turns: number]

/** What is the same all through a history. */
export interface Terms {
  /** Milliseconds that the client waits for an answer. */
  readonly callTimeout: number
  /** Milliseconds after which the server answers `timeout`. */
  readonly serverTimeout: number
  /** Milliseconds that a frame takes. */
  readonly latency: number
  /** The channels that the claims name for `autoSubscribe`. With them, the claims speak of channels. */
  readonly automatic: readonly ChannelName[]
  /** How many channels the socket, and its user, may have. */
  readonly subscriptions: number
  readonly subscriptionsPerUser: number
}

export interface History {
  readonly terms: Terms
  readonly steps: readonly Step[]
}

/** A history of about 20 steps. */
export function makeHistory(random: Random): History {
  const pick = <T>(list: readonly T[]): T => list[random.number(list.length)] as T
  const terms = {
    callTimeout: pick([300, 1000, 30_000]),
    serverTimeout: pick([500, 5000, 30_000]),
    latency: pick([0, 0, 20, 400]),
    automatic: CHANNELS.filter(() => random.number(5) === 0),
    subscriptions: pick([100, 100, 100, 2, 1]),
    subscriptionsPerUser: pick([100, 100, 100, 2, 1]),
  }
  const few = CHANNELS.slice(random.number(CHANNELS.length)).slice(0, 1 + random.number(2))
  const acts: readonly (() => Act)[] = [
    ...(
      ['subscribe', 'subscribe', 'subscribe', 'unsubscribe', 'bind', 'unbind', 'kick', 'kick'] as const
    ).map((act) => () => [act, pick(few)] as const),
    ...(['publish', 'publish', 'publish', 'kickAll', 'grant'] as const).map(
      (act) => () => [act, pick(few)] as const,
    ),
    () => ['slow', pick(PARTS), pick([0, 5, 100, 700, 2000])] as const,
    () => ['slow', pick(PARTS), pick([0, 5, 100, 700, 2000])] as const,
    () => ['break', pick(PARTS)] as const,
    () => ['mend', pick(PARTS)] as const,
    () => [pick(['refuse', 'allow'] as const), pick(['subscribe', 'unsubscribe'] as const)] as const,
    () => [pick(['cut', 'drop', 'drop', 'suspend', 'resume', 'resume', 'close'] as const)] as const,
  ]
  const make: readonly (() => Step)[] = [
    ...acts,
    () => ['upon', pick(MOMENTS), pick(acts)()] as const,
    () => ['upon', pick(MOMENTS), pick(acts)()] as const,
    () => ['upon', pick(MOMENTS), pick(acts)()] as const,
    () => ['wait', pick([1, 10, 100, 350, 600, 1500])] as const,
    () => ['wait', pick([1, 10, 100, 350, 600, 1500])] as const,
    () => ['wait', pick([1, 10, 100, 350, 600, 1500])] as const,
    () => ['turn', 1 + random.number(4)] as const,
  ]
  const scenes = SCENES.map((scene) => () => scene(pick(few), pick(PARTS)))
  const steps = Array.from({ length: 4 + random.number(12) }, () => {
    if (random.number(4) > 0) return [pick(make)()]
    return pick(scenes)().flatMap((step) => (random.number(6) > 0 ? [step] : [pick(make)()]))
  })
  return { terms, steps: steps.flat() }
}

/** What is rare by chance alone. */
const SCENES: readonly ((channel: ChannelName, part: Part) => readonly Step[])[] = [
  // One publication is lost, and what the client asks for then cannot be had.
  (channel, part) => [
    ['subscribe', channel],
    ['wait', 1500],
    ['publish', channel],
    ['drop'],
    ['publish', channel],
    ['break', part],
    ['publish', channel],
    ['wait', 600],
  ],
  (channel) => [['drop'], ['publish', channel], ['refuse', 'subscribe'], ['publish', channel], ['wait', 100]],
  // What cannot be restored is given up, and wanted again.
  (channel, part) => [
    ['subscribe', channel],
    ['wait', 1500],
    ['break', part],
    ['cut'],
    ['wait', 350],
    ['unsubscribe', channel],
    ['mend', part],
    ['wait', 10],
    ['subscribe', channel],
  ],
  // The server takes the client off while it comes.
  (channel, part) => [
    ['slow', part, 100],
    ['subscribe', channel],
    ['wait', 10],
    ['kick', channel],
  ],
]
