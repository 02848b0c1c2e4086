/**
 * Messages to text and back: the only `JSON.parse` and `JSON.stringify` of the wire. Nothing that a peer sends gets
 * past it unchecked; what is wrong becomes a {@link FrameError} that names the field.
 */
import { ERRORS, RpcError, refusal, type WireError } from './errors.js'
import type {
  AnswerMessage,
  ClientMessage,
  GapReason,
  HistoryMessage,
  Outcome,
  Position,
  ServerMessage,
  SubscriptionNotice,
} from './messages.js'
import { BUILT_IN, type LimitedName, NAME_LIMITS, PROTOCOL_VERSION } from './names.js'

/** A frame that is not a message. `rpc` and `id` are there if the frame had good ones, so that it can be answered. */
export class FrameError extends Error {
  constructor(
    readonly error: RpcError,
    readonly rpc?: string,
    readonly id?: string,
  ) {
    super(error.message)
  }
}

type Frame = Readonly<Record<string, unknown>>

/**
 * Any value as JSON. `undefined` becomes `null`.
 * @throws RpcError `unserializable` for a circular value, a BigInt, a function, or a `toJSON` that throws
 */
export function encodeData(data: unknown): string {
  try {
    return JSON.stringify(sendable(data)) ?? 'null'
  } catch (cause) {
    throw new RpcError('unserializable', undefined, undefined, cause)
  }
}

/**
 * The reverse of {@link encodeData}.
 * @throws RpcError `bad_message` if the text is not JSON
 */
export function decodeData(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RpcError('bad_message', undefined, undefined, cause)
  }
}

/** A message of the client as the frame that goes out. @throws RpcError `unserializable` */
export function encodeClientMessage(message: ClientMessage): string {
  return encodeData(clientFrame(message))
}

/** A message of the server as the frame that goes out. @throws RpcError `unserializable` */
export function encodeServerMessage(message: ServerMessage): string {
  return encodeData(serverFrame(message))
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

/** A publication as the frame that goes out: encoded once for all its receivers. */
export function encodePublication(publication: EncodedPublication): string {
  const { channel, json, id, event, epoch, offset, meta } = publication
  let rest = id === undefined ? '' : `,"id":"${id}"`
  if (event !== undefined) rest += `,"event":${JSON.stringify(event)}`
  if (epoch !== undefined) rest += `,"epoch":${JSON.stringify(epoch)},"offset":${offset}`
  if (meta !== undefined) rest += `,"meta":${meta}`
  return `{"channel":${JSON.stringify(channel)},"message":${json}${rest}}`
}

/**
 * A frame as the server receives it. @param text SockJS can deliver other things than strings; they are refused
 * @throws FrameError
 */
export function decodeClientMessage(text: unknown): ClientMessage {
  const frame = parse(text)
  const rpc = frame.rpc
  if (rpc === BUILT_IN.result) return { type: 'result', id: name(frame, 'fid', 'id'), outcome: result(frame) }
  const id = idOf(frame)
  try {
    return request(frame, name(frame, 'rpc', 'name'), name(frame, 'uuid', 'id'))
  } catch (error) {
    if (!(error instanceof FrameError) || id === undefined) throw error
    // Whole, even if it is too long: the old client looks for its callback under this very name.
    throw new FrameError(error.error, typeof rpc === 'string' ? rpc : undefined, id)
  }
}

/** A frame as the client receives it, from this library's server or the old one. @throws FrameError */
export function decodeServerMessage(text: unknown): ServerMessage {
  const frame = parse(text)
  if (frame.internal === true) return internal(frame)
  if (typeof frame.rpc === 'string' && typeof frame.uuid === 'string')
    return answer(frame, frame.rpc, frame.uuid)
  if (typeof frame.channel === 'string') {
    const { channel, message, ...rest } = frame
    return { ...rest, type: 'publication', channel: frame.channel, data: message ?? null }
  }
  if (frame.error !== undefined) return { type: 'error', error: wireError(frame) }
  throw bad('internal, rpc, channel or error')
}

/** JSON leaves functions out without a word; most likely it was meant to be a callback. */
function sendable(data: unknown): unknown {
  if (typeof data !== 'function' && typeof data !== 'symbol') return data
  throw new RpcError('unserializable', `Not serializable as JSON: a ${typeof data}`)
}

function clientFrame(message: ClientMessage): Frame {
  switch (message.type) {
    case 'auth':
      return { rpc: BUILT_IN.auth, token: message.token, uuid: message.id, version: message.version }
    case 'call':
      return { rpc: message.name, req: sendable(message.data), uuid: message.id }
    case 'subscribe':
    case 'unsubscribe':
      return {
        rpc: BUILT_IN[message.type],
        req: { channel: message.channel, ...message.from },
        uuid: message.id,
      }
    case 'publish':
    case 'history': {
      const { type, id, ...req } = message
      if ('data' in req) sendable(req.data)
      return { rpc: BUILT_IN[type], req, uuid: id }
    }
    case 'broadcast':
      return { rpc: BUILT_IN.broadcast, req: { data: sendable(message.data) }, uuid: message.id }
    case 'ping':
      return { rpc: BUILT_IN.ping, req: {}, uuid: message.id }
    case 'result':
      return { rpc: BUILT_IN.result, fid: message.id, resp: resultFields(message.outcome) }
  }
}

function serverFrame(message: ServerMessage): Frame {
  switch (message.type) {
    case 'answer':
      return { rpc: message.rpc, uuid: message.id, ...answerFields(message.outcome), ...message.session }
    case 'invoke':
      return {
        internal: true,
        command: 'rpc',
        data: { fid: message.id, command: message.name, args: sendable(message.data) },
      }
    case 'subscribed':
      return {
        internal: true,
        command: 'subscribe',
        data: {
          channel: message.channel,
          ...message.position,
          recovered: message.recovered,
          reason: message.reason,
        },
      }
    case 'unsubscribed':
      return { internal: true, command: 'unsubscribe', data: { channel: message.channel } }
    case 'position': {
      const { type, ...data } = message
      return { internal: true, command: type, data }
    }
    case 'publication': {
      const { type, channel, data, ...rest } = message
      return { channel, message: data, ...rest }
    }
    case 'error':
      return errorFields(message.error)
  }
}

function answerFields(outcome: Outcome): Frame {
  return 'data' in outcome ? { resp: sendable(outcome.data) } : errorFields(outcome)
}

function resultFields(outcome: Outcome): Frame {
  return 'data' in outcome ? { data: sendable(outcome.data) } : errorFields(outcome)
}

/** Both pairs tell failure from success by a truthy `error`. */
function errorFields({ error, code }: WireError): Frame {
  return { error: error || ERRORS.application_error, code }
}

function request(frame: Frame, rpc: string, id: string): ClientMessage {
  switch (rpc) {
    case BUILT_IN.auth:
      return { type: 'auth', id, token: name(frame, 'token', 'token'), version: version(frame) }
    case BUILT_IN.subscribe:
      return { type: 'subscribe', id, channel: channelOf(frame), ...from(body(frame)) }
    case BUILT_IN.unsubscribe:
      return { type: 'unsubscribe', id, channel: channelOf(frame) }
    case BUILT_IN.publish:
      return {
        type: 'publish',
        id,
        channel: channelOf(frame),
        data: body(frame).data,
        ...optionalNames(body(frame), ['event', 'key']),
      }
    case BUILT_IN.history:
      return { type: 'history', id, channel: channelOf(frame), ...historyBounds(body(frame)) }
    case BUILT_IN.broadcast:
      return { type: 'broadcast', id, data: body(frame).data }
    case BUILT_IN.ping:
      return { type: 'ping', id }
    default:
      return { type: 'call', id, name: rpc, data: frame.req }
  }
}

function channelOf(frame: Frame): string {
  return name(body(frame), 'channel', 'channel', 'req.')
}

/** Where a client was, if it says so. */
function from(req: Frame): { readonly from?: Position } {
  return req.epoch === undefined ? {} : { from: position(req, 'req.') }
}

function position(frame: Frame, path: string): Position {
  const { offset } = frame
  if (!Number.isSafeInteger(offset) || (offset as number) < 0)
    throw bad(`${path}offset`, 'has to be a whole number, 0 or above')
  return { epoch: name(frame, 'epoch', 'epoch', path), offset: offset as number }
}

/** Those of these fields that are there. */
function optionalNames<Field extends 'event' | 'key'>(req: Frame, fields: readonly Field[]) {
  const there = fields.filter((field) => req[field] !== undefined)
  return Object.fromEntries(there.map((field) => [field, name(req, field, field, 'req.')])) as {
    readonly [Name in Field]?: string
  }
}

/** How many publications one request for history may bring. */
const HISTORY_LIMIT = 100

/** An id of a publication. Source: https://github.com/ulid/spec */
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

function historyBounds(req: Frame): Omit<HistoryMessage, 'type' | 'id' | 'channel'> {
  const { limit = HISTORY_LIMIT, reverse = false } = req
  if (!Number.isSafeInteger(limit) || (limit as number) < 1)
    throw bad('req.limit', 'has to be a whole number above 0')
  if ((limit as number) > HISTORY_LIMIT)
    throw new FrameError(refusal('too_long', { field: 'req.limit', limit: HISTORY_LIMIT }))
  if (typeof reverse !== 'boolean') throw bad('req.reverse', 'has to be true or false')
  const bounds = (['after', 'before'] as const).filter((field) => req[field] !== undefined)
  for (const field of bounds) {
    if (!ULID.test(String(req[field]))) throw bad(`req.${field}`, 'has to be the id of a publication')
  }
  return {
    ...Object.fromEntries(bounds.map((field) => [field, String(req[field])])),
    limit: limit as number,
    reverse,
  }
}

function internal(frame: Frame): ServerMessage {
  const data = object(frame.data, 'data')
  switch (frame.command) {
    case 'rpc':
      return {
        type: 'invoke',
        id: name(data, 'fid', 'id', 'data.'),
        name: name(data, 'command', 'name', 'data.'),
        data: data.args,
      }
    case 'subscribe':
      return { type: 'subscribed', channel: name(data, 'channel', 'channel', 'data.'), ...recovery(data) }
    case 'position':
      return {
        type: 'position',
        channel: name(data, 'channel', 'channel', 'data.'),
        ...position(data, 'data.'),
      }
    case 'unsubscribe':
      return { type: 'unsubscribed', channel: name(data, 'channel', 'channel', 'data.') }
    default:
      throw bad('command')
  }
}

function recovery(data: Frame): Partial<SubscriptionNotice> {
  if (data.epoch === undefined && data.recovered === undefined) return {}
  return {
    ...(data.epoch !== undefined && { position: position(data, 'data.') }),
    ...(data.recovered !== undefined && { recovered: data.recovered === true }),
    ...(typeof data.reason === 'string' && { reason: data.reason as GapReason }),
  }
}

function answer(frame: Frame, rpc: string, id: string): AnswerMessage {
  if (frame.error) return { type: 'answer', id, rpc, outcome: wireError(frame) }
  const message: AnswerMessage = { type: 'answer', id, rpc, outcome: { data: frame.resp } }
  // The old server repeats the request's fields, its version too; only the id is certainly the server's own.
  if (rpc !== BUILT_IN.auth || frame.sid === undefined) return message
  return {
    ...message,
    session: {
      version: version(frame) ?? PROTOCOL_VERSION,
      sid: name(frame, 'sid', 'id'),
      ...heartbeat(frame),
    },
  }
}

function result(frame: Frame): Outcome {
  const resp = object(frame.resp, 'resp')
  return resp.error ? wireError(resp) : { data: resp.data }
}

function wireError(frame: Frame): WireError {
  return { error: frame.error, code: typeof frame.code === 'string' ? frame.code : undefined }
}

function parse(text: unknown): Frame {
  if (typeof text !== 'string') throw bad('message', 'has to be a string')
  try {
    return object(JSON.parse(text), 'message')
  } catch (error) {
    throw error instanceof FrameError ? error : bad('message', 'has to be JSON')
  }
}

function body(frame: Frame): Frame {
  return object(frame.req, 'req')
}

function object(value: unknown, field: string): Frame {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(field, 'has to be an object')
  return value as Frame
}

function name(frame: Frame, field: string, kind: LimitedName, path = ''): string {
  const value = frame[field]
  if (typeof value !== 'string' || value === '')
    throw bad(path + field, 'has to be a string that is not empty')
  const limit = NAME_LIMITS[kind]
  if (value.length > limit) throw new FrameError(refusal('too_long', { field: path + field, limit }))
  return value
}

function version(frame: Frame): number | undefined {
  const value = frame.version
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) > 0))
    return value as number | undefined
  throw bad('version', 'has to be a whole number above 0')
}

function heartbeat({ heartbeat: wait }: Frame): { readonly heartbeat?: number } {
  if (wait === undefined) return {}
  if (typeof wait === 'number' && wait > 0) return { heartbeat: wait }
  throw bad('heartbeat', 'has to be a number above 0')
}

/** The frame's id, if it has a good one. */
function idOf(frame: Frame): string | undefined {
  const id = frame.uuid
  return typeof id === 'string' && id !== '' && id.length <= NAME_LIMITS.id ? id : undefined
}

function bad(field: string, why = 'is missing or wrong'): FrameError {
  return new FrameError(new RpcError('bad_message', `Invalid message: ${field} ${why}`, { field }))
}
