import {
  type AnswerMessage,
  badField,
  CAPABILITIES,
  type Capability,
  type CloseReason,
  type ErrorMessage,
  encodeClientMessage,
  encodeData,
  isTooComplex,
  PROTOCOL_VERSION,
  parseJson,
  RpcError,
} from '@token-socket/protocol'
import type { Wire } from '../socket/buffered-connection.js'

/** The capabilities of a raw client: it receives direct messages. */
const RAW_CAPABILITIES: readonly Capability[] = CAPABILITIES.filter((one) => one === 'direct')

/** The first message of a raw connection, which its upgrade request stands for. */
export const RAW_AUTH = encodeClientMessage({
  type: 'auth',
  id: 'raw',
  version: PROTOCOL_VERSION,
  can: RAW_CAPABILITIES,
})

/**
 * The first character of a text that is sent as a bare frame. The library's own frames begin with a
 * brace, and are not sent to raw clients. With this character no frame is empty, so that outboxes
 * count each one.
 */
const MARK = '='

/** The id of each message of a raw client, which gets no answer. */
const NO_ID = 'raw'

/** Matches the first character of a JSON text. */
const JSON_START = /^[\t\n\r ]*[[{"\d\-tfn]/

/**
 * Encodes and decodes the messages of raw clients: each text is one message. JSON counts as its
 * value, any other text as a string.
 */
export const RAW_WIRE: Wire = {
  decode(text) {
    return { type: 'send', id: NO_ID, data: typeof text === 'string' ? dataOf(text) : text }
  },
  encode(message) {
    if (message.type !== 'direct') return undefined
    if (message.id !== undefined) throw new RpcError('unsupported', 'A raw WebSocket confirms no message')
    const { data } = message
    return MARK + (typeof data === 'string' ? data : encodeData(data))
  },
  closes: (message) => closingOf(message),
}

/** Returns the texts of the bare frames among frames. */
export function bareTexts(frames: readonly string[]): readonly string[] {
  return frames.filter((frame) => frame.startsWith(MARK)).map((frame) => frame.slice(MARK.length))
}

function dataOf(text: string): unknown {
  if (!JSON_START.test(text)) return text
  if (isTooComplex(text)) throw badField('message', 'flat')
  const value = parseJson(text)
  return value === undefined ? text : value
}

/**
 * The reasons for closing a raw connection after a refused message, because no answer can name that
 * message. A message over a rate limit is only dropped: a device that is too fast for a moment
 * stays connected.
 */
const CLOSINGS: ReadonlyMap<string | undefined, CloseReason> = new Map([
  ['too_many_messages', 'too_many_messages'],
  ['too_many_calls', 'too_many_messages'],
  ['bad_message', 'bad_messages'],
])

function closingOf(message: AnswerMessage | ErrorMessage): CloseReason | undefined {
  const outcome = message.type === 'answer' ? message.outcome : message.error
  return 'error' in outcome ? CLOSINGS.get(outcome.code) : undefined
}
