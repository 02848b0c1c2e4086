/** What users of the model may do, version by version. */
import { readClaims } from '../../../packages/server/src/claims.js'
import type { Random } from '../../protocol/random.js'

export const CHANNELS = ['a', 'b', 'c'] as const
export type ChannelName = (typeof CHANNELS)[number]

/** The rights of one version. */
export interface Rights {
  readonly read: ReadonlySet<string>
  readonly write: ReadonlySet<string>
  /** What a listener refuses, though the claims allow it. */
  readonly refused: ReadonlySet<string>
  readonly readsHistory: boolean
}

/** Rights at random. */
export function someRights(random: Random): Rights {
  const some = (share: number) => new Set(CHANNELS.filter(() => random.number(10) < share))
  return { read: some(7), write: some(7), refused: some(2), readsHistory: random.number(2) === 0 }
}

/** Whether rights allow to receive a channel. @param hasListener whether the listener is asked */
export function mayReceive({ read, refused }: Rights, channel: string, hasListener: boolean): boolean {
  return read.has(channel) && !(hasListener && refused.has(channel))
}

/** Rights as an authorization carries them. */
export function sourceOf(uid: string, rights: Rights) {
  const { read, write, refused, readsHistory } = rights
  const entry = (channel: string) => ({
    subscribe: read.has(channel),
    ...(readsHistory && { historyStart: 0 }),
    messages: { '*': { publish: write.has(channel) } },
  })
  const channels = Object.fromEntries(CHANNELS.map((channel) => [channel, entry(channel)]))
  return { auth: { uid, refused: [...refused] }, claims: readClaims({ uid, channels }) }
}
