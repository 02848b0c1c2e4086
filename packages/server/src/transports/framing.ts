import { isTooComplex, NESTING_LIMIT } from '@token-socket/protocol'
import { type Batch, LineBatch, ListBatch } from '../socket/batch.js'
import { encodeTextFrame, encodeTextFrames } from './frame.js'
import type { Writing } from './message-limit.js'

/** How messages are encoded in frames. */
export interface Framing {
  /** The server's first frame. @default none */
  readonly greeting?: string
  /** How clients encode messages in a frame. */
  readonly writing: Writing
  /** Encodes messages as one frame or several, including their headers. */
  encode(messages: readonly string[]): Buffer
  /**
   * Returns a frame's only message if that is a text, or all messages. @throws if the frame is not
   * of this framing
   */
  decode(frame: string): string | Batch
  /** Whether each message has a frame of its own. Such frames are not compressed. @default false */
  readonly isSeparate?: boolean
  /**
   * A frame without a message, as a heartbeat, because scripts in browsers cannot see pings.
   * @default none, only pings
   */
  readonly heartbeat?: string
  /** Returns the server's last frame. @default none */
  farewell?(code: number, reason: string): string
}

/** A text frame has one message, or several, one per line. */
export const PLAIN: Framing = {
  writing: 'plain',
  encode: (messages) => encodeTextFrame(messages.join('\n')),
  heartbeat: '',
  decode: (frame) => (frame === '' || frame.includes('\n') ? new LineBatch(frame) : frame),
}

/** SockJS 0.3: `o` opens, `a[…]` carries messages as JSON strings, `c[code,reason]` closes. */
export const SOCKJS: Framing = {
  writing: 'quoted',
  greeting: 'o',
  heartbeat: 'h',
  encode: (messages) => encodeTextFrame(`a${JSON.stringify(messages)}`),
  decode: (frame) => {
    if (frame === '') return new ListBatch([])
    if (isTooComplex(frame))
      throw new RangeError(
        `The frame is nested more than ${NESTING_LIMIT} levels deep, or has too many parts`,
      )
    const messages: unknown = JSON.parse(frame)
    return new ListBatch(Array.isArray(messages) ? messages : [messages])
  },
  farewell: (code, reason) => `c${JSON.stringify([code, reason])}`,
}

/** A text frame is one message, whatever it contains. */
export const BARE: Framing = {
  writing: 'plain',
  isSeparate: true,
  encode: encodeTextFrames,
  decode: (frame) => frame,
}
