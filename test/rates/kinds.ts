/** What is flooded, and what of it may pass. */
import type { TokenSocketServerOptions } from '@token-socket/server'
import { type FloodTransport, TRANSPORTS } from './flooder.js'

/** Each limit is this many in a second, if its kind says nothing else. */
export const PER_SECOND = 100

/** What a flood is. */
export interface FloodKind {
  readonly name: string
  readonly limits: TokenSocketServerOptions['limits']
  /** What its limit is. @default {@link PER_SECOND} */
  readonly perSecond?: number
  /** @default none */
  readonly channels?: TokenSocketServerOptions['channels']
  readonly nodes: number
  /** Whether Redis is killed before what passes is counted. */
  readonly isAway?: true
  /** Connections of each user on each node. */
  readonly connections: number
  /** @default all but raw WebSockets */
  readonly transports?: readonly FloodTransport[]
  /** What each client sends. @default a call */
  readonly request?: object
  /** Whether a client whose connection is closed opens another one. */
  readonly comesBack?: true
  /**
   * Whether seconds are counted one by one, with what the one before left unused, so that what
   * passes comes at their beginnings. @default a token bucket
   */
  readonly bySeconds?: true
  /** Whether only `npm run rates` has the time for it. */
  readonly isLong?: true
}

const off = { rateRefusals: Number.POSITIVE_INFINITY }
const user = { userMessagesPerSecond: PER_SECOND, userMessagesBurst: PER_SECOND, ...off }
const rate = { perSecond: PER_SECOND }
const one = { nodes: 1, connections: 1 }

/** A publication on the channel `room`. */
const publication = (event?: string) => ({ rpc: '_publish', req: { channel: 'room', event, data: 1 } })

/** Floods of messages. */
export const MESSAGES: readonly FloodKind[] = [
  {
    name: 'messagesPerSecond, one node',
    limits: { messagesPerSecond: PER_SECOND, messagesBurst: PER_SECOND, ...off },
    ...one,
  },
  { name: 'userMessagesPerSecond, one node', limits: user, nodes: 1, connections: 2 },
  { name: 'userMessagesPerSecond, two nodes', limits: user, nodes: 2, connections: 1 },
  { name: 'the same, while Redis is away', limits: user, nodes: 2, connections: 1, isAway: true },
  {
    name: 'userMessagesPerSecond, coming back',
    limits: { ...user, rateRefusals: 10 },
    nodes: 1,
    connections: 2,
    transports: ['raw'],
    comesBack: true,
  },
]

/** Floods of publications. */
export const PUBLICATIONS: readonly FloodKind[] = [
  {
    name: 'channels.rate',
    limits: off,
    channels: { room: { publish: true, rate } },
    request: publication(),
    ...one,
  },
  {
    name: 'channels.events.rate',
    limits: off,
    channels: { room: { publish: true, events: { typing: { rate } } } },
    request: publication('typing'),
    ...one,
  },
  {
    name: 'channels.events.rate, two nodes',
    limits: off,
    isLong: true,
    // Those of one socket go to Redis one after the other.
    perSecond: 20,
    channels: { 'ro*': { publish: true, events: { '*': { rate: { perSecond: 20 } } } } },
    request: publication('typing'),
    nodes: 2,
    connections: 1,
  },
  {
    name: 'publicationRate',
    limits: { publicationRate: PER_SECOND },
    request: publication(),
    bySeconds: true,
    ...one,
  },
  {
    name: 'broadcastRate',
    limits: { broadcastRate: PER_SECOND },
    request: { rpc: '_broadcast', req: { data: 1 } },
    bySeconds: true,
    ...one,
  },
]

/** By which transports clients flood. */
export function transportsOf({ transports = TRANSPORTS }: FloodKind): readonly FloodTransport[] {
  return transports
}

/**
 * What may pass of the messages of one user.
 * @param seconds for which is counted
 */
export function limitOf(kind: FloodKind, seconds: number): number {
  // Rules hold for each socket: on each node there is one.
  const sockets = kind.channels ? kind.nodes * kind.connections : 1
  const { perSecond = PER_SECOND } = kind
  if (kind.bySeconds) return perSecond * (Math.ceil(seconds) + 1)
  return sockets * Math.round(perSecond * seconds + (kind.isAway ? 0 : perSecond))
}
