import { isTooComplex, NESTING_LIMIT } from '@token-socket/protocol'
import { type Batch, LineBatch, ListBatch } from '../socket/batch.js'
import { encodeTextFrame, encodeTextFrames } from './frame.js'
import type { Writing } from './message-limit.js'

/** How messages are put into frames. */
export interface Framing {
  /** What the server says first, if anything. */
  readonly greeting?: string
  /** How clients write messages into a frame. */
  readonly writing: Writing
  /** Messages as one frame, or as several, header and all. */
  encode(messages: readonly string[]): Buffer
  /** A frame's only message, if that is a text, or all of them. @throws if the frame is not of this framing */
  decode(frame: string): string | Batch
  /** Whether each message has a frame of its own. Such frames are not compressed. @default false */
  readonly isSeparate?: boolean
  /**
   * A frame without a message, a heartbeat: scripts in browsers do not see pings. @default there is
   * none, but pings
   */
  readonly heartbeat?: string
  /** What the server says last, if anything. */
  farewell?(code: number, reason: string): string
}

/** A text frame holds one message or several, one per line. */
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

/** A text frame is one message, whatever is in it. */
export const BARE: Framing = {
  writing: 'plain',
  isSeparate: true,
  encode: encodeTextFrames,
  decode: (frame) => frame,
}
