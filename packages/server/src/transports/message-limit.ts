import { constants } from 'node:buffer'
import { parse } from 'node:querystring'
import { encodeData, isTooComplex, type SizeLimits } from '@token-socket/protocol'

/**
 * Bytes of messages that one frame or body may always bring, however small each has to be: clients join small ones, up
 * to 16,384 UTF-16 code units, which are 48 KiB of CJK text.
 */
const BATCH = 64 * 1024

/**
 * Messages in a SockJS frame or body, which is parsed as a whole. A good message has some 40 bytes, so that only frames
 * of what are no messages come to more by default.
 */
export const BATCH_MESSAGES = 65_536

/** Bytes around the messages: brackets and quotes, and the name of a form's field, all escaped. */
const AROUND = 16

/**
 * What a byte of a message may take on its way. A message is JSON. As a string in SockJS's array, a
 * quote or a backslash takes two bytes, and what SockJS's clients also escape takes three times its
 * own (`\u0300` for two bytes, twice as much for a pair of four). In a form, a quote that is
 * escaped takes six: `%5C%22`.
 */
const GROWTH = { plain: 1, quoted: 3, form: 6 } as const

/** How messages are written into a frame or a body. */
export type Writing = keyof typeof GROWTH

/**
 * Bytes that a frame or a body of several messages may have: enough for one message of just the limit, whatever is in it,
 * and for 64 KiB of small ones. @param message bytes that each message may have
 */
export function batchLimit(message: number, writing: Writing): number {
  // `ws` takes limits for integers of 32 bits; no text is longer than this anyway.
  return Math.min(constants.MAX_STRING_LENGTH, GROWTH[writing] * Math.max(message, BATCH) + AROUND)
}

/** What a client is told of the sizes that the server takes. @param limits as in the server's option */
export function sizesOf({ message, publication }: Required<Omit<SizeLimits, 'batch'>>): SizeLimits {
  return { message, publication, batch: Math.max(message, BATCH) }
}

/**
 * Bytes that a UTF-16 code unit of an auth message may take, on average. Nearly all of it is the token, a JWT or base64, whose
 * characters take one; in a form `+`, `/` and `=` take three (`%2B`).
 */
const AUTH_UNIT = 2

/** Bytes of what takes more: the frame's own quotes, six each in a form (`%5C%22`), and what stands around the message. */
const AUTH_FRAME = 256

/**
 * Bytes that a frame or a body may have of which only one message is wanted, the first. It brings no other.
 * @param message UTF-16 code units that the message may have
 */
export function authLimit(message: number): number {
  return Math.min(constants.MAX_STRING_LENGTH, AUTH_UNIT * message + AUTH_FRAME)
}

/** Whether a message has more bytes than it may. What is no text, which SockJS can carry, has those of its JSON. */
export function isTooLarge(message: unknown, limit: number): boolean {
  if (typeof message === 'number' || typeof message === 'boolean') return false
  const text = typeof message === 'string' ? message : jsonOf(message)
  if (text === undefined) return true
  // A UTF-16 code unit is three bytes at most.
  return text.length * 3 > limit && Buffer.byteLength(text) > limit
}

/** The JSON of a value, or `undefined` if it is nested too deeply for one. */
function jsonOf(value: unknown): string | undefined {
  try {
    return encodeData(value)
  } catch {
    return undefined
  }
}

/**
 * Whether a body of SockJS would take too long to be parsed; see {@link isTooComplex}. Of a form it looks at the field that
 * sockjs parses, read as sockjs reads it: any other field could hide the nesting.
 */
export function isBodyTooComplex(body: Buffer, isForm: boolean): boolean {
  const text = body.toString('latin1')
  return isTooComplex(isForm ? String(parse(text).d ?? '') : text)
}
