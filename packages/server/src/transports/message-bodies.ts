import type { IncomingMessage } from 'node:http'
import { parse } from 'node:querystring'
import { parseJson } from '@token-socket/protocol'
import { isBodyTooComplex } from './message-limit.js'
import type { SendTransport } from './plain-answers.js'

/**
 * Why a body has no messages: status and text of the answer. The texts are those of SockJS's
 * reference.
 */
export interface BadBody {
  readonly status: 400 | 500
  readonly text: 'Payload expected.' | 'Broken JSON encoding.' | 'Too complex'
  /** Whether its content type is not accepted. */
  readonly isOfOtherType?: boolean
}

const FORM = 'application/x-www-form-urlencoded'

/** The accepted content types of bodies, as in SockJS's reference: by transport. */
const READ: Readonly<Record<SendTransport, ReadonlySet<string>>> = {
  xhr_send: new Set(['text/plain', 'T', 'application/json', 'application/xml', '', 'text/xml']),
  jsonp_send: new Set(['text/plain', '']),
}

const EXPECTED: BadBody = { status: 500, text: 'Payload expected.' }
const BROKEN: BadBody = { status: 500, text: 'Broken JSON encoding.' }
const COMPLEX: BadBody = { status: 400, text: 'Too complex' }

/**
 * Reads the messages of an `xhr_send` or `jsonp_send`: a JSON array, or a form whose field `d` is
 * one. It reads a form as SockJS's reference does, but without `__proto__`, which runtimes may
 * lack.
 */
export function readMessages(
  body: Buffer,
  { headers }: Pick<IncomingMessage, 'headers'>,
  transport: SendTransport,
): readonly unknown[] | BadBody {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1)
  const isForm = transport === 'jsonp_send' && type === FORM
  if (isBodyTooComplex(body, isForm)) return COMPLEX
  if (isForm) return messagesOf(String(parse(body.toString()).d ?? ''))
  if (!READ[transport].has(type)) return { ...EXPECTED, isOfOtherType: true }
  return messagesOf(body.toString())
}

function messagesOf(text: string): readonly unknown[] | BadBody {
  if (text === '') return EXPECTED
  const messages = parseJson(text)
  if (messages === undefined) return BROKEN
  return Array.isArray(messages) ? messages : EXPECTED
}
