import { decodeData, encodeData } from '@token-socket/protocol'
import type { Draft, PresenceEvent, Publication } from '@token-socket/server/engine'
import { decodeName } from './keys.js'

/** The kind of a message on a Redis channel. */
export type EntryKind = 'publication' | 'change'

/** A publication or a change of a member, as it is in a log and in messages to the nodes. */
export interface Entry {
  readonly kind: EntryKind
  /** A ULID. */
  readonly id: string
  /** Not set if it is not kept. */
  readonly epoch?: string | undefined
  readonly offset?: number | undefined
  readonly payload: string
}

/** An {@link Entry} that is kept. */
export interface KeptEntry extends Entry {
  readonly epoch: string
  readonly offset: number
}

/** The letters of the kinds in messages. The scripts use them too. */
export const KIND_LETTERS: Readonly<Record<EntryKind, string>> = { publication: 'p', change: 'c' }

const HEAD = /^([pc]) ([0-7][0-9A-HJKMNP-TV-Z]{25}) (?:-|([\w.-]{1,64}) (\d{1,15})) /

/** Encodes a message of an entry that is not kept; the scripts encode those of kept entries. */
export function encodeEntry({ kind, id, payload }: Entry): string {
  return `${KIND_LETTERS[kind]} ${id} - ${payload}`
}

/** Decodes a message. @returns `undefined` for anything that this library did not write */
export function decodeEntry(text: string): Entry | undefined {
  const [head, letter, id, epoch, offset] = HEAD.exec(text) ?? []
  if (head === undefined || id === undefined) return undefined
  const kind = letter === KIND_LETTERS.change ? 'change' : 'publication'
  const payload = text.slice(head.length)
  return epoch === undefined ? { kind, id, payload } : { kind, id, epoch, offset: Number(offset), payload }
}

/**
 * Encodes a draft as an entry's payload. The data is separate, so that it is not parsed on the way.
 */
export function encodeDraft({ json, event, meta, except }: Draft): string {
  const isPlain = event === undefined && meta === undefined && except === undefined
  return `${isPlain ? '' : encodeData({ event, meta, except })}\n${json}`
}

/** Decodes a payload of {@link encodeDraft}. @throws if it is anything else */
export function decodePublication(channel: string, entry: Entry): Publication {
  const { id, epoch, offset, payload } = entry
  const end = payload.indexOf('\n')
  if (end < 0) throw new Error('there is no data in it')
  const place = epoch === undefined || offset === undefined ? {} : { epoch, offset }
  return { ...readHead(payload.slice(0, end)), channel, json: payload.slice(end + 1), id, ...place }
}

function readHead(text: string): Pick<Draft, 'event' | 'meta' | 'except'> {
  if (text === '') return {}
  const head = decodeData(text) as Record<string, unknown> | null
  const known = ['event', 'meta', 'except'].flatMap((name) => {
    const value = head && Object.hasOwn(head, name) ? head[name] : undefined
    return typeof value === 'string' ? [[name, value]] : []
  })
  return Object.fromEntries(known)
}

const CHANGE = /^(joined|left|updated) (\S+) (.*)$/s

/** Decodes a change of a member of the presence scripts. @throws if it is anything else */
export function decodeChange(channel: string, { epoch = '', offset = 0, payload }: Entry): PresenceEvent {
  const [, change, uid, umd] = CHANGE.exec(payload) ?? []
  if (change === undefined || uid === undefined) throw new Error('there is no change in it')
  return {
    channel,
    change: change as PresenceEvent['change'],
    ...decodeMember(uid, umd),
    seq: offset,
    epoch,
  }
}

/** Returns a member as the presence scripts keep it: without `umd` it is an empty text. */
export function decodeMember(uid: string, umd = ''): { readonly uid: string; readonly umd?: string } {
  return { uid: decodeName(uid), ...(umd !== '' && { umd }) }
}
