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

/** What a raw client can do beyond the first version of the wire: it takes messages. */
const RAW_CAPABILITIES: readonly Capability[] = CAPABILITIES.filter((one) => one === 'direct')

/** The first message of a raw connection, which its upgrade request stands for. */
export const RAW_AUTH = encodeClientMessage({
  type: 'auth',
  id: 'raw',
  version: PROTOCOL_VERSION,
  can: RAW_CAPABILITIES,
})

/**
 * The first character of what goes out as a bare frame. Frames of the library's wire begin with a
 * brace, and are not for raw clients. So no frame is empty, and outboxes count each.
 */
const MARK = '='

/** The id of each message of a raw client. It gets no answer. */
const NO_ID = 'raw'

/** The first character of a text of JSON. */
const JSON_START = /^[\t\n\r ]*[[{"\d\-tfn]/

/**
 * The messages of raw clients: each text is one. JSON counts as its value, and any other text as a
 * string.
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

/** The texts of the bare frames among those that are sent. */
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
 * Why a raw connection is closed that had a message refused: no answer can say which was lost. One
 * over a limit of rates is dropped only: a device that is too fast for a moment stays connected.
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
