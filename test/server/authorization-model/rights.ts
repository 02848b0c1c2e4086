/** What users of the model may do, version by version, as docs/AUTHORISATION.md and docs/GRANTS.md say. */
import type { Random } from '../../protocol/random.js'

/**
 * One that keeps its publications, and claims decide; one whose functions decide as well; one with presence; one that keeps
 * nothing.
 */
export const CHANNELS = ['kept', 'ruled', 'room', 'live'] as const
export type ChannelName = (typeof CHANNELS)[number]

type Claimed = 'yes' | 'no' | 'unsaid'

/** The rights of one version. */
export interface Rights {
  /** Names the version over all of the model: clients see it as `umd.v`. */
  readonly id: number
  readonly uid: string
  /** What claims say about `subscribe`. */
  readonly claimed: ReadonlyMap<string, Claimed>
  readonly write: ReadonlySet<string>
  readonly auto: ReadonlySet<string>
  /** What a listener refuses, though the claims allow it. */
  readonly refused: ReadonlySet<string>
  /** What the functions of `ruled` answer. */
  readonly isRuled: boolean
  /** What the function for presence answers. */
  readonly isPresent: boolean
  readonly readsHistory: boolean
}

/** Rights at random. */
export function makeRights(random: Random, { id, uid }: Pick<Rights, 'id' | 'uid'>): Rights {
  const some = (tenths: number) => new Set(CHANNELS.filter(() => random.number(10) < tenths))
  const claimed = new Map<string, Claimed>(
    CHANNELS.map((channel) => [channel, random.pick<Claimed>(['yes', 'yes', 'yes', 'no', 'unsaid'])]),
  )
  const auto = CHANNELS.filter((channel) => claimed.get(channel) === 'yes' && random.number(6) === 0)
  return {
    id,
    uid,
    claimed,
    write: some(7),
    auto: new Set(auto),
    refused: some(2),
    isRuled: random.number(4) > 0,
    isPresent: random.number(3) > 0,
    readsHistory: random.number(2) === 0,
  }
}

/** What counts beside the rights. */
export interface Circumstances {
  /** Whether the server has a listener of `subscribe`. */
  readonly listens: boolean
  /** Whether the socket has brought a token for the channel. */
  readonly hasToken: boolean
}

/** Whether rights allow to receive a channel. */
export function mayReceive(rights: Rights, channel: string, { listens, hasToken }: Circumstances): boolean {
  const claimed = rights.claimed.get(channel)
  if (claimed === 'no' || (listens && rights.refused.has(channel))) return false
  return channel === 'ruled' ? rights.isRuled : claimed === 'yes' || hasToken
}

/** Whether rights allow to publish on a channel. */
export function mayPublish({ write, isRuled }: Rights, channel: string): boolean {
  return write.has(channel) && (channel !== 'ruled' || isRuled)
}

/** Rights as `authentication` returns them. */
export function authOf(rights: Rights) {
  const { id, uid, claimed, write, auto, refused, isRuled, isPresent, readsHistory } = rights
  const entry = (channel: string) => ({
    ...(claimed.get(channel) !== 'unsaid' && { subscribe: claimed.get(channel) === 'yes' }),
    ...(auto.has(channel) && { autoSubscribe: true }),
    ...(readsHistory && { historyStart: 0 }),
    // A sender passes the position of its own where the channel keeps it.
    messages: { '*': { publish: write.has(channel), echo: channel === 'live' } },
  })
  const channels = Object.fromEntries(CHANNELS.map((channel) => [channel, entry(channel)]))
  return { uid, umd: { v: id }, channels, refused: [...refused], isRuled, isPresent }
}
