/** Encodes and decodes the client's messages. */
import { plainRefusal } from './errors.js'
import {
  badField,
  decodeErrorFields,
  encodeErrorFields,
  type Frame,
  FrameError,
  readCapabilities,
  readName,
  readNames,
  readObject,
  readPosition,
  readPublicationIds,
  readReason,
  readTimeout,
  readVersion,
  sendable,
} from './frame.js'
import type { ClientMessage, HistoryMessage, Outcome } from './messages.js'
import { BUILT_IN, CAPABILITIES, type Capability, NAME_LIMITS } from './names.js'

/** The most publications of one request for history. */
const HISTORY_LIMIT = 100

/** The names of requests that are not calls. */
const BUILT_IN_NAMES: ReadonlySet<unknown> = /* @__PURE__ */ new Set(/* @__PURE__ */ Object.values(BUILT_IN))

/** Encodes a message as a frame. @throws RpcError `unserializable` */
export function encodeClientFrame(message: ClientMessage): Frame {
  const { type: _, id: uuid, ...req } = message
  switch (message.type) {
    case 'auth':
      return { rpc: BUILT_IN.auth, ...req, uuid }
    case 'call':
      return { rpc: message.name, req: sendable(message.data), uuid, timeout: message.timeout }
    case 'cancel':
      return { rpc: BUILT_IN.cancel, req: { uuid, ...req } }
    case 'result':
      return { rpc: BUILT_IN.result, fid: uuid, resp: resultFields(message.outcome) }
    case 'subscribe':
      return { rpc: BUILT_IN.subscribe, req: { ...req, ...message.from, from: undefined }, uuid }
    default:
      if ('data' in message) sendable(message.data)
      return { rpc: BUILT_IN[message.type], req, uuid }
  }
}

/**
 * Decodes a frame, the reverse of {@link encodeClientFrame}.
 * @param can the client's capabilities. Without `cancel`, a frame of that name with an id is a
 *   call, since legacy pages may have a function of that name. The same holds for `refresh` and
 *   `direct`. Without `notify`, a call without an id is wrong, and so is a result without one
 * @throws FrameError
 */
export function decodeClientFrame(frame: Frame, can: readonly Capability[] = CAPABILITIES): ClientMessage {
  if (frame.rpc === BUILT_IN.result) return result(frame, can)
  if (isCancel(frame, can)) return cancel(readObject(frame.req, 'req'))
  try {
    const name = readName(frame, 'rpc', 'name')
    if (isNotification(frame, can)) return { type: 'call', name, data: frame.req }
    const id = readName(frame, 'uuid', 'id')
    return isUnnamed(name, can) ? call(frame, name, id) : request(frame, name, id)
  } catch (error) {
    throw error instanceof FrameError ? aboutFrame(error, frame, can) : error
  }
}

/**
 * Makes the error of a wrong frame. It has what the server needs to answer it, if the frame is a
 * request with a valid id, or a notification with a valid name.
 */
export function aboutFrame(
  error: FrameError,
  frame: Frame,
  can: readonly Capability[] = CAPABILITIES,
): FrameError {
  const { rpc } = frame
  const id = rpc === BUILT_IN.result || isCancel(frame, can) ? undefined : idOf(frame)
  const name = typeof rpc === 'string' ? rpc : undefined
  // The whole name, even if it is too long: the legacy client finds its callback by it.
  if (id !== undefined) return new FrameError(error.error, name, id)
  const isNamed = name !== undefined && name !== '' && name.length <= NAME_LIMITS.name
  return isNamed && isNotification(frame, can) ? new FrameError(error.error, name) : error
}

function isCancel(frame: Frame, can: readonly Capability[]): boolean {
  return frame.rpc === BUILT_IN.cancel && (can.includes('cancel') || idOf(frame) === undefined)
}

function isNotification({ rpc, uuid }: Frame, can: readonly Capability[]): boolean {
  return uuid === undefined && can.includes('notify') && !BUILT_IN_NAMES.has(rpc)
}

/** Whether a name belongs to a capability that the client lacks: the frame is a call then. */
function isUnnamed(rpc: string, can: readonly Capability[]): boolean {
  if (rpc === BUILT_IN.refresh) return !can.includes('refresh')
  return rpc === BUILT_IN.send && !can.includes('direct')
}

function resultFields(outcome: Outcome): Frame {
  return 'data' in outcome ? { data: sendable(outcome.data) } : encodeErrorFields(outcome)
}

function request(frame: Frame, rpc: string, id: string): ClientMessage {
  switch (rpc) {
    case BUILT_IN.auth:
      return {
        type: 'auth',
        id,
        ...readNames(frame, ['token'], ''),
        version: readVersion(frame),
        ...readCapabilities(frame),
      }
    case BUILT_IN.subscribe:
    case BUILT_IN.unsubscribe:
    case BUILT_IN.publish:
    case BUILT_IN.history:
      return channelRequest(rpc, id, readObject(frame.req, 'req'))
    case BUILT_IN.broadcast:
      return { type: 'broadcast', id, data: readObject(frame.req, 'req').data }
    case BUILT_IN.ping:
      return { type: 'ping', id }
    case BUILT_IN.refresh:
      return { type: 'refresh', id, token: readName(readObject(frame.req, 'req'), 'token', 'token', 'req.') }
    case BUILT_IN.send:
      return { type: 'send', id, data: readObject(frame.req, 'req').data }
    default:
      return call(frame, rpc, id)
  }
}

type ChannelRpc = (typeof BUILT_IN)['subscribe' | 'unsubscribe' | 'publish' | 'history']

function channelRequest(rpc: ChannelRpc, id: string, req: Frame): ClientMessage {
  const channel = readName(req, 'channel', 'channel', 'req.')
  switch (rpc) {
    case BUILT_IN.subscribe: {
      const from = readPosition(req, 'req.')
      return {
        type: 'subscribe',
        id,
        channel,
        ...(from && { from }),
        ...readNames(req, ['proof', 'token'], 'req.'),
      }
    }
    case BUILT_IN.unsubscribe:
      return { type: 'unsubscribe', id, channel }
    case BUILT_IN.publish:
      return { type: 'publish', id, channel, data: req.data, ...readNames(req, ['event', 'key'], 'req.') }
    case BUILT_IN.history:
      return { type: 'history', id, channel, ...historyBounds(req) }
  }
}

function historyBounds(req: Frame): Omit<HistoryMessage, 'type' | 'id' | 'channel'> {
  const { limit = HISTORY_LIMIT, reverse = false } = req
  if (!Number.isSafeInteger(limit) || (limit as number) < 1) throw badField('req.limit', 'count')
  if ((limit as number) > HISTORY_LIMIT)
    throw new FrameError(plainRefusal('too_long', { field: 'req.limit', limit: HISTORY_LIMIT }))
  if (typeof reverse !== 'boolean') throw badField('req.reverse', 'flag')
  return { ...readPublicationIds(req, ['after', 'before'], 'req.'), limit: limit as number, reverse }
}

/** Spreading would cost each call more than all other fields. */
function call(frame: Frame, name: string, id: string): ClientMessage {
  const timeout = readTimeout(frame)
  const message = { type: 'call', id, name, data: frame.req } as const
  return timeout === undefined ? message : { ...message, timeout }
}

function cancel(req: Frame): ClientMessage {
  return { type: 'cancel', id: readName(req, 'uuid', 'id', 'req.'), ...readReason(req) }
}

function result(frame: Frame, can: readonly Capability[]): ClientMessage {
  const resp = readObject(frame.resp, 'resp')
  const error = resp.error ? decodeErrorFields(resp) : undefined
  if (error && frame.fid === undefined && can.includes('notify')) return { type: 'result', outcome: error }
  return { type: 'result', id: readName(frame, 'fid', 'id'), outcome: error ?? { data: resp.data } }
}

/** Returns the frame's id, if it is valid. */
function idOf({ uuid }: Frame): string | undefined {
  return typeof uuid === 'string' && uuid !== '' && uuid.length <= NAME_LIMITS.id ? uuid : undefined
}
