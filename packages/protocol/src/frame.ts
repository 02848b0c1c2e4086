/**
 * The parts of frames of both directions, and checks of their fields: no field of a peer's frame is
 * used unchecked.
 */

import type { CancelReason } from './call-context.js'
import { type Shape, textOf, textOfField } from './error-texts.js'
import { type PlainError, plainRefusal, RpcError, type WireError } from './errors.js'
import type { Position } from './messages.js'
import { CAPABILITIES, type Capability, type LimitedName, NAME_LIMITS } from './names.js'

/**
 * Thrown for a frame that is not a message. It has `rpc` and `id` if the frame had valid ones, so
 * that it can be answered. It is no `Error`: peers can cause it at will, and a stack trace would
 * cost more than the rest.
 */
export class FrameError {
  constructor(
    readonly error: PlainError,
    readonly rpc?: string,
    readonly id?: string,
  ) {}
}

/** An object in a frame. */
export type Frame = Readonly<Record<string, unknown>>

/** Matches an id of a publication. Source: https://github.com/ulid/spec */
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/**
 * JSON drops functions silently; most likely it was meant to be a callback.
 * @throws RpcError `unserializable`
 */
export function sendable(data: unknown): unknown {
  if (typeof data !== 'function' && typeof data !== 'symbol') return data
  throw new RpcError('unserializable', `Not serializable as JSON: a ${typeof data}`)
}

/** Encodes the fields of an error. Both pairs recognize a failure by a truthy `error`. */
export function encodeErrorFields({ error, code, about }: WireError): Frame {
  return { error: error || textOf('application_error'), code, about }
}

/** The reverse of {@link encodeErrorFields}. */
export function decodeErrorFields({ error, code, about }: Frame): WireError {
  return { error, code: typeof code === 'string' ? code : undefined, ...(about !== undefined && { about }) }
}

/** @throws FrameError unless the value is an object, and no list */
export function readObject(value: unknown, field: string): Frame {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badField(field, 'object')
  return value as Frame
}

/**
 * Reads a field that is a text, not empty and within its limit.
 * @param path of the object within the frame, such as `req.`
 * @throws FrameError
 */
export function readName(frame: Frame, field: string, kind: LimitedName, path = ''): string {
  const value = frame[field]
  if (typeof value !== 'string' || value === '') throw badField(path + field, 'text')
  const limit = NAME_LIMITS[kind]
  if (value.length > limit) throw new FrameError(plainRefusal('too_long', { field: path + field, limit }))
  return value
}

/** Reads the given fields that are present, each a name of its own kind. @throws FrameError */
export function readNames<Field extends LimitedName>(
  frame: Frame,
  fields: readonly Field[],
  path = '',
): Some<Field> {
  return readSome(frame, fields, (field) => readName(frame, field, field, path))
}

/** Reads the given fields that are present, each the id of a publication. @throws FrameError */
export function readPublicationIds<Field extends string>(
  frame: Frame,
  fields: readonly Field[],
  path = '',
): Some<Field> {
  return readSome(frame, fields, (field) => {
    const id = frame[field]
    if (typeof id === 'string' && ULID.test(id)) return id
    throw badField(path + field, 'id')
  })
}

type Some<Field extends string> = { readonly [Name in Field]?: string }

function readSome<Field extends string>(
  frame: Frame,
  fields: readonly Field[],
  read: (field: Field) => string,
): Some<Field> {
  const there = fields.filter((field) => frame[field] !== undefined)
  return Object.fromEntries(there.map((field) => [field, read(field)])) as Some<Field>
}

/** Reads a position on a channel, if there is one. @throws FrameError for half of one */
export function readPosition(frame: Frame, path = ''): Position | undefined {
  const { epoch, offset } = frame
  if (epoch === undefined && offset === undefined) return undefined
  if (!Number.isSafeInteger(offset) || (offset as number) < 0) throw badField(`${path}offset`, 'offset')
  return { epoch: readName(frame, 'epoch', 'epoch', path), offset: offset as number }
}

/** Reads the wire's version, if there is one. @throws FrameError */
export function readVersion({ version }: Frame): number | undefined {
  if (version === undefined || (Number.isSafeInteger(version) && (version as number) > 0))
    return version as number | undefined
  throw badField('version', 'count')
}

/**
 * Reads a peer's capabilities: of a list, those that this package knows. Any other value means
 * none.
 */
export function readCapabilities({ can }: Frame): { readonly can?: readonly Capability[] } {
  return Array.isArray(can) ? { can: CAPABILITIES.filter((one) => can.includes(one)) } : {}
}

/**
 * Reads the time that a caller waits, if there is one. JSON has `null` for `Infinity`. @throws
 * FrameError
 */
export function readTimeout({ timeout }: Frame): number | undefined {
  if (timeout === undefined) return undefined
  if (timeout === null || (typeof timeout === 'number' && timeout >= 0)) return timeout ?? 0
  throw badField('timeout', 'time')
}

/** Reads why a call is cancelled. An unknown reason counts as `aborted`. */
export function readReason({ reason }: Frame): { readonly reason: CancelReason } {
  return { reason: reason === 'timeout' ? reason : 'aborted' }
}

/**
 * Makes the error of a wrong field. @param shape what it has to be. @default it is missing, or
 * known to be wrong
 */
export function badField(field: string, shape?: Shape): FrameError {
  return new FrameError({
    message: `Invalid message: ${textOfField(field, shape)}`,
    code: 'bad_message',
    data: { field },
  })
}
