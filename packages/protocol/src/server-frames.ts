/** The server's messages as frames, and back. */
import {
  badField,
  decodeErrorFields,
  encodeErrorFields,
  type Frame,
  readName,
  readNames,
  readObject,
  readPosition,
  readReason,
  sendable,
} from './frame.js'
import type {
  AnswerMessage,
  Member,
  Outcome,
  PublicationMessage,
  ServerMessage,
  SubscriptionNotice,
} from './messages.js'
import { BUILT_IN, type LimitedName } from './names.js'
import {
  readChange,
  readLifetime,
  readPublicationId,
  readRecovery,
  readServerFields,
} from './server-fields.js'

/** A message as the frame that goes out. @throws RpcError `unserializable` */
export function encodeServerFrame(message: ServerMessage): Frame {
  switch (message.type) {
    case 'answer':
      return { rpc: message.rpc, uuid: message.id, ...answerFields(message.outcome), ...message.session }
    case 'invoke': {
      const { id: fid, name: command, data, timeout } = message
      return internal('rpc', { fid, command, args: sendable(data), timeout })
    }
    case 'withdraw':
      return internal('cancel', { fid: message.id, reason: message.reason })
    case 'subscribed': {
      const { type: _, channel, position, ...rest } = message
      return internal('subscribe', { channel, ...position, ...rest })
    }
    case 'unsubscribed':
      return internal('unsubscribe', {
        channel: message.channel,
        reason: message.isRevoked ? 'revoked' : undefined,
      })
    case 'direct':
      return internal('direct', { fid: message.id, data: sendable(message.data) })
    case 'session':
    case 'renew':
    case 'position':
    case 'presence': {
      const { type, ...data } = message
      return internal(type, data)
    }
    case 'publication': {
      const { type: _, channel, data, ...rest } = message
      return { channel, message: data, ...rest }
    }
    case 'error':
      return encodeErrorFields(message.error)
  }
}

/** The reverse of {@link encodeServerFrame}, also of the legacy server's frames. @throws FrameError */
export function decodeServerFrame(frame: Frame): ServerMessage {
  const { rpc, uuid, channel } = frame
  if (frame.internal === true) return notice(frame.command, readObject(frame.data, 'data'))
  if (typeof rpc === 'string' && typeof uuid === 'string') return answer(frame, rpc, uuid)
  if (typeof channel === 'string') return publication(frame, channel)
  if (frame.error !== undefined) return { type: 'error', error: decodeErrorFields(frame) }
  throw badField('internal, rpc, channel or error')
}

function internal(command: string, data: Frame): Frame {
  return { internal: true, command, data }
}

function answerFields(outcome: Outcome): Frame {
  return 'data' in outcome ? { resp: sendable(outcome.data) } : encodeErrorFields(outcome)
}

function notice(command: unknown, data: Frame): ServerMessage {
  const name = (field: string, kind: LimitedName) => readName(data, field, kind, 'data.')
  const channel = () => name('channel', 'channel')
  switch (command) {
    case 'rpc':
      return {
        type: 'invoke',
        id: data.fid === undefined ? data.fid : name('fid', 'id'),
        name: name('command', 'name'),
        data: data.args,
        // The server is trusted.
        timeout: data.timeout as number | undefined,
      }
    case 'cancel':
      return { type: 'withdraw', id: name('fid', 'id'), ...readReason(data) }
    case 'subscribe':
      return { type: 'subscribed', channel: channel(), ...recovery(data) }
    case 'unsubscribe':
      return {
        type: 'unsubscribed',
        channel: channel(),
        ...(data.reason === 'revoked' && { isRevoked: true }),
      }
    case 'session':
      return { type: command, ...identity(data, 'data.'), ...readLifetime(data) }
    case 'renew':
      return { type: command }
    case 'direct':
      return { type: command, id: data.fid === undefined ? data.fid : name('fid', 'id'), data: data.data }
    case 'position': {
      const position = readPosition(data, 'data.')
      if (!position) throw badField('data.offset')
      return { type: command, channel: channel(), ...position }
    }
    case 'presence':
      return { type: command, channel: channel(), change: readChange(data), ...member(data, 'data.') }
    default:
      throw badField('command')
  }
}

function recovery(data: Frame): Partial<SubscriptionNotice> {
  const { members } = data
  const position = readPosition(data, 'data.')
  return {
    ...identity(data, 'data.'),
    ...(Array.isArray(members) && {
      members: members.map((one) => member(readObject(one, 'data.members'), 'data.members.')),
    }),
    ...(position && { position }),
    ...readNames(data, ['proof'], 'data.'),
    ...readRecovery(data),
  }
}

function member(frame: Frame, path: string): Member {
  return { uid: readName(frame, 'uid', 'uid', path), ...identity(frame, path) }
}

/** Who the socket is, if it is said. */
function identity({ umd, ...frame }: Frame, path = ''): Partial<Member> {
  return { ...readNames(frame, ['uid'], path), ...(umd !== undefined && { umd }) }
}

function publication(frame: Frame, channel: string): PublicationMessage {
  const { message, meta } = frame
  return {
    type: 'publication',
    channel,
    data: message ?? null,
    ...readPublicationId(frame),
    ...readNames(frame, ['event']),
    ...readPosition(frame),
    ...(meta !== undefined && { meta: readObject(meta, 'meta') }),
  }
}

function answer(frame: Frame, rpc: string, id: string): AnswerMessage {
  const outcome = frame.error ? decodeErrorFields(frame) : { data: frame.resp }
  const message: AnswerMessage = { type: 'answer', id, rpc, outcome }
  // The legacy server repeats the request's fields, its version too; only the id is certainly the server's own.
  if (rpc !== BUILT_IN.auth || frame.error || frame.sid === undefined) return message
  const sid = readName(frame, 'sid', 'id')
  return { ...message, session: { ...readServerFields(frame), sid, ...identity(frame) } }
}
