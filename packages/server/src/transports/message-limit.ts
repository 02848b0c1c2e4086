import { constants } from 'node:buffer'
import { parse } from 'node:querystring'
import { encodeData, isTooComplex, type SizeLimits } from '@token-socket/protocol'

/**
 * Bytes of messages that a frame or body may always have, however low the limit of one message is.
 * Clients join small messages up to 16,384 UTF-16 code units, which are 48 KiB of CJK text.
 */
const BATCH = 64 * 1024

/**
 * Messages in a SockJS frame or body, at most, because it is parsed as a whole. Real messages have
 * about 40 bytes, so that only a frame of something else exceeds this by default.
 */
export const BATCH_MESSAGES = 65_536

/** Bytes around the messages: brackets and quotes, and the name of a form's field, all escaped. */
const AROUND = 16

/**
 * How many bytes one byte of a message may take in transit. A message is JSON. In a string of
 * SockJS's array, a quote or a backslash takes two bytes. The characters that SockJS's clients also
 * escape take three times their own size (`\u0300` for two bytes, twice that for a pair of four).
 * In a form, an escaped quote takes six: `%5C%22`.
 */
const GROWTH = { plain: 1, quoted: 3, form: 6 } as const

/** How messages are encoded in a frame or a body. */
export type Writing = keyof typeof GROWTH

/**
 * Returns the bytes that a frame or a body of several messages may have. That is enough for one
 * message of the limit's size, whatever it contains, and for 64 KiB of small ones. @param message
 * bytes that each message may have
 */
export function batchLimit(message: number, writing: Writing): number {
  // `ws` requires limits of 32 bits; no text is longer than this anyway.
  return Math.min(constants.MAX_STRING_LENGTH, GROWTH[writing] * Math.max(message, BATCH) + AROUND)
}

/**
 * Returns the sizes that the server accepts, for a client. @param limits as in the server's option
 */
export function sizesOf({ message, publication }: Required<Omit<SizeLimits, 'batch'>>): SizeLimits {
  return { message, publication, batch: Math.max(message, BATCH) }
}

/**
 * Bytes of a UTF-16 code unit of an auth message, on average. Nearly all of it is the token, a JWT
 * or base64, whose characters take one byte. In a form `+`, `/` and `=` take three (`%2B`).
 */
const AUTH_UNIT = 2

/**
 * Bytes of everything that takes more: the frame's own quotes, six each in a form (`%5C%22`), and
 * the text around the message.
 */
const AUTH_FRAME = 256

/**
 * Returns the bytes that a frame or a body may have before the sign-in, when only one message is
 * accepted.
 * @param message UTF-16 code units that the message may have
 */
export function authLimit(message: number): number {
  return Math.min(constants.MAX_STRING_LENGTH, AUTH_UNIT * message + AUTH_FRAME)
}

/**
 * Returns whether a message has more bytes than the limit. A message of SockJS that is no text
 * counts with its JSON.
 */
export function isTooLarge(message: unknown, limit: number): boolean {
  if (typeof message === 'number' || typeof message === 'boolean') return false
  const text = typeof message === 'string' ? message : jsonOf(message)
  if (text === undefined) return true
  // A UTF-16 code unit has at most three bytes.
  return text.length * 3 > limit && Buffer.byteLength(text) > limit
}

/** Returns the JSON of a value, or `undefined` if it is nested too deeply. */
function jsonOf(value: unknown): string | undefined {
  try {
    return encodeData(value)
  } catch {
    return undefined
  }
}

/**
 * Returns whether a body of SockJS would take too long to parse; see {@link isTooComplex}. In a
 * form it checks the field that sockjs parses, read as sockjs reads it: another field could hide
 * the nesting.
 */
export function isBodyTooComplex(body: Buffer, isForm: boolean): boolean {
  const text = body.toString('latin1')
  return isTooComplex(isForm ? String(parse(text).d ?? '') : text)
}
