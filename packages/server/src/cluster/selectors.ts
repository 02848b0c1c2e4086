import { encodeData, limitError, NAME_LIMITS, RpcError } from '@token-socket/protocol'
import { hashSession } from '../claims/subjects.js'
import type { ServerSocket } from '../socket/server-socket.js'

/** A value that a condition on `socket.data` compares with: a JSON scalar. */
export type SocketDataValue = string | number | boolean | null

/** Conditions on a socket. It has to meet all of them. At least one is required. */
export interface SocketConditions {
  /** The socket's id. */
  readonly sid?: string
  /** The user's id. */
  readonly uid?: string
  /** The session that signed it in: `req.sessionID`, or {@link SocketInfo.session}. */
  readonly session?: string
  /** A channel that it is subscribed to. */
  readonly channel?: string
  /** The transport that carries its connection, such as `websocket`. */
  readonly transport?: string
  /** The address that the token request came from. */
  readonly ip?: string
  /** Own properties of its `socket.data`, each with its value. Accessors are not read. */
  readonly data?: Readonly<Record<string, SocketDataValue>>
}

/**
 * Selects sockets on all nodes:
 * - one socket, all of a user, or all that one session signed in (`req.sessionID`);
 * - all on a channel, all that meet every condition of `where`, or all.
 */
export type SocketSelector = OneOf<{
  readonly sid: string
  readonly uid: string
  readonly session: string
  readonly channel: string
  readonly where: SomeOf<SocketConditions> | 'all'
}>

/** One of some fields, and none of the others. */
export type OneOf<Fields> = {
  [Name in keyof Fields]: Pick<Fields, Name> & { readonly [Other in Exclude<keyof Fields, Name>]?: never }
}[keyof Fields]

/** At least one of some fields. */
type SomeOf<Fields> = {
  [Name in keyof Fields]-?: Required<Pick<Fields, Name>> & Omit<Fields, Name>
}[keyof Fields]

/**
 * A checked selector, with the session's hash instead of its id. Without conditions it selects all
 * sockets.
 */
export type Selection = SocketConditions

/** Decides which sockets a {@link Selection} selects. */
export interface SocketMatcher {
  /** Returns whether a socket meets all conditions now. */
  matches(socket: ServerSocket): boolean
  /** Returns whether a socket meets the conditions that never change while it is connected. */
  mayMatch(socket: ServerSocket): boolean
}

type Test = (socket: ServerSocket, value: never) => boolean

/** UTF-16 code units of a selector as JSON. */
const LENGTH = 64 * 1024

const { channel: CHANNEL } = NAME_LIMITS

const FIXED: ReadonlyMap<string, Test> = new Map<string, Test>([
  ['sid', (socket, sid: string) => socket.sid === sid],
  ['uid', (socket, uid: string) => socket.uid === uid],
  ['session', (socket, session: string) => socket.session === session],
  ['transport', (socket, transport: string) => socket.transport === transport],
  ['ip', (socket, ip: string) => socket.ip === ip],
])

const CHANGING: ReadonlyMap<string, Test> = new Map<string, Test>([
  ['channel', (socket, channel: string) => socket.isOn(channel)],
  ['data', hasData],
])

const CONDITIONS = [...FIXED.keys(), ...CHANGING.keys()]

const SELECTORS = ['sid', 'uid', 'session', 'channel', 'where']

/**
 * Returns the name of a session that the server shows. @param hash as {@link hashSession} makes it
 */
export function shownSession(hash: string): string {
  return `sha256:${hash}`
}

/**
 * Checks a selector. It ignores nothing: an unknown, empty or `undefined` field would select more
 * sockets than the caller intends.
 * @throws RpcError `bad_message` with the field; `too_long`; `too_large`
 */
export function readSelector(who: unknown): Selection {
  const entries = isObject(who) ? Object.entries(who) : []
  const [[field, value] = ['selector', undefined], another] = entries
  const has = `selector has to have one of ${SELECTORS.join(', ')}`
  if (entries.length === 0) throw bad('selector', has)
  const unknown = entries.find(([name]) => !SELECTORS.includes(name))
  if (unknown) throw bad(unknown[0], `${has}, not ${unknown[0]}`)
  if (another) throw bad(another[0], `${has}; several conditions go into where`)
  if (field !== 'where') return bounded(readConditions([[field, value]], ''))
  if (value === 'all') return {}
  const conditions = isObject(value) ? Object.entries(value) : []
  if (conditions.length === 0) throw bad('where', "where has to have a condition, or to be 'all'")
  return bounded(readConditions(conditions, 'where.'))
}

/**
 * Returns the matcher of a selection. @throws RpcError `bad_message` for a condition of another
 * version
 */
export function matcherOf(selection: Selection): SocketMatcher {
  const entries = Object.entries(selection)
  const unknown = entries.find(([name]) => !CONDITIONS.includes(name))
  if (unknown) throw bad(unknown[0], `${unknown[0]} is no condition`)
  const [fixed, changing] = [FIXED, CHANGING].map((tests) =>
    entries.flatMap(([name, value]) => {
      const test = tests.get(name)
      return test ? [(socket: ServerSocket) => test(socket, value as never)] : []
    }),
  ) as [((socket: ServerSocket) => boolean)[], ((socket: ServerSocket) => boolean)[]]
  const mayMatch = (socket: ServerSocket) => fixed.every((test) => test(socket))
  return { mayMatch, matches: (socket) => mayMatch(socket) && changing.every((test) => test(socket)) }
}

/** Checks a text that the application passes. @throws RpcError `bad_message` */
export function checkText(field: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && value !== '') return
  throw bad(field, `${field} has to be a string that is not empty`)
}

function readConditions(entries: readonly (readonly [string, unknown])[], path: string): Selection {
  const read = entries.map(([name, value]) => {
    const field = path + name
    if (!CONDITIONS.includes(name)) throw bad(field, `${field} is none of ${CONDITIONS.join(', ')}`)
    if (name === 'data') return [name, readData(value, field)] as const
    checkText(field, value)
    if (name === 'channel' && value.length > CHANNEL) throw limitError('too_long', { field, limit: CHANNEL })
    return [name, name === 'session' ? hashOf(value) : value] as const
  })
  return Object.fromEntries(read)
}

function readData(data: unknown, path: string): Readonly<Record<string, SocketDataValue>> {
  const entries = isObject(data) && !Array.isArray(data) ? Object.entries(data) : []
  if (entries.length === 0) throw bad(path, `${path} has to be an object with a property at least`)
  for (const [key, value] of entries) {
    const isScalar = value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)
    if (isScalar) continue
    const field = `${path}.${key}`
    throw bad(field, `${field} has to be a string, a finite number, a boolean or null`)
  }
  // Each name becomes an own property, `__proto__` too.
  return Object.fromEntries(entries) as Readonly<Record<string, SocketDataValue>>
}

function hasData(socket: ServerSocket, wanted: Readonly<Record<string, SocketDataValue>>): boolean {
  const data = socket.usedData
  if (!data) return false
  return Object.entries(wanted).every(
    ([key, value]) => Object.getOwnPropertyDescriptor(data, key)?.value === value,
  )
}

function hashOf(session: string): string {
  const [, hash] = /^sha256:([\w-]{43})$/.exec(session) ?? []
  return hash ?? hashSession(session)
}

function bounded(selection: Selection): Selection {
  if (encodeData(selection).length > LENGTH)
    throw limitError('too_large', { field: 'selector', limit: LENGTH })
  return selection
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function bad(field: string, text: string): RpcError {
  return new RpcError('bad_message', `Invalid message: ${text}`, { field })
}
