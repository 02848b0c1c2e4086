/**
 * Encodes and decodes messages, with the only `JSON.parse` and `JSON.stringify` of the wire. Every
 * field of a peer's frame is checked here. A wrong frame becomes a {@link FrameError} that names
 * the field.
 */
import { aboutFrame, decodeClientFrame, encodeClientFrame } from './client-frames.js'
import { RpcError } from './errors.js'
import { badField, type Frame, readObject, sendable } from './frame.js'
import type { ClientMessage, Position, ServerMessage } from './messages.js'
import type { Capability } from './names.js'
import { isTooComplex } from './nesting.js'
import { decodeServerFrame, encodeServerFrame } from './server-frames.js'

/**
 * Encodes any value as JSON. `undefined` becomes `null`.
 * @throws RpcError `unserializable` for a function, a symbol, a circular value, a BigInt, or a
 *   `toJSON` that throws
 */
export function encodeData(data: unknown): string {
  try {
    return JSON.stringify(sendable(data)) ?? 'null'
  } catch (cause) {
    throw new RpcError('unserializable', undefined, undefined, cause)
  }
}

/**
 * Decodes JSON, the reverse of {@link encodeData}.
 * @throws RpcError `bad_message` if the text is not JSON
 */
export function decodeData(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RpcError('bad_message', undefined, undefined, cause)
  }
}

/** Decodes JSON; returns `undefined` if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Encodes a message of the client as a frame. @throws RpcError `unserializable` */
export function encodeClientMessage(message: ClientMessage): string {
  return encodeData(encodeClientFrame(message))
}

/** Encodes a message of the server as a frame. @throws RpcError `unserializable` */
export function encodeServerMessage(message: ServerMessage): string {
  if (message.type === 'answer' && 'data' in message.outcome && message.outcome.data instanceof EncodedData)
    return `{"rpc":${JSON.stringify(message.rpc)},"uuid":${JSON.stringify(message.id)},"resp":${message.outcome.data.json}}`
  return encodeData(encodeServerFrame(message))
}

/** Data that is JSON already: an answer with it is not encoded again. */
export class EncodedData {
  constructor(readonly json: string) {}
}

/** A publication whose parts are JSON already. */
export interface EncodedPublication extends Partial<Position> {
  readonly channel: string
  /** The data, as JSON. */
  readonly json: string
  readonly id?: string | undefined
  readonly event?: string | undefined
  /** As JSON. */
  readonly meta?: string | undefined
}

/**
 * Encodes a publication as a frame, once for all its receivers.
 * @param field the name of the data: `message` in a frame, `data` in a page of history
 */
export function encodePublication(
  publication: EncodedPublication,
  field: 'message' | 'data' = 'message',
): string {
  const { channel, json, id, event, epoch, offset, meta } = publication
  let rest = id === undefined ? '' : `,"id":"${id}"`
  if (event !== undefined) rest += `,"event":${JSON.stringify(event)}`
  if (epoch !== undefined) rest += `,"epoch":${JSON.stringify(epoch)},"offset":${offset}`
  if (meta !== undefined) rest += `,"meta":${meta}`
  return `{"channel":${JSON.stringify(channel)},"${field}":${json}${rest}}`
}

/** A page of a channel's history, with the publications' parts as JSON. */
export interface EncodedHistory {
  readonly position: Position
  readonly publications: readonly EncodedPublication[]
  /** Whether there may be another page. */
  readonly more: boolean
}

/** Encodes a page of history as the data of an answer. */
export function encodeHistory({ position, publications, more }: EncodedHistory): EncodedData {
  const list = publications.map((one) => encodePublication(one, 'data')).join(',')
  const rest = more ? ',"more":true' : ''
  return new EncodedData(`{"position":${JSON.stringify(position)},"publications":[${list}]${rest}}`)
}

/**
 * Decodes a frame that the server has received.
 * @param text SockJS can deliver other values than strings; they are refused
 * @param can the client's capabilities beyond the first version of the wire. @default all {@link
 *   CAPABILITIES}
 * @throws FrameError
 */
export function decodeClientMessage(text: unknown, can?: readonly Capability[]): ClientMessage {
  if (typeof text === 'string' && isTooComplex(text))
    throw aboutFrame(badField('message', 'flat'), edgesOf(text), can)
  return decodeClientFrame(parse(text), can)
}

/** UTF-16 code units of a text that is parsed within a few milliseconds, whatever it contains. */
const SMALL = 64 * 1024

/** The start and the end of a request, as clients encode it. */
const EDGES = /^\{"rpc":"([^"\\]+)".*,"uuid":"([^"\\]+)"\}$/s

/**
 * Returns the name and the id of a request that is too complex to parse. Of a long one, it finds
 * them if they are its first and its last field.
 */
function edgesOf(text: string): Frame {
  if (text.length <= SMALL) return parse(text)
  const [, rpc, uuid] = EDGES.exec(text.slice(0, 512) + text.slice(-128)) ?? []
  return { rpc, uuid }
}

/**
 * Decodes a frame that the client has received, from this library's server or the legacy one.
 * @throws FrameError
 */
export function decodeServerMessage(text: unknown): ServerMessage {
  return decodeServerFrame(parse(text))
}

function parse(text: unknown): Frame {
  if (typeof text !== 'string') throw badField('message', 'string')
  const value = parseJson(text)
  if (value === undefined) throw badField('message', 'json')
  return readObject(value, 'message')
}
