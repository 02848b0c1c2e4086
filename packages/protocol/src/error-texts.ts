import { NESTING_LIMIT, PARTS_LIMIT } from './nesting.js'

/**
 * All errors of this library: a stable code and a text. Codes never change, texts may.
 * `docs/ERRORS.md` explains each one; a test compares the two.
 */
export const ERRORS = {
  aborted: 'Aborted',
  application_error: 'The call was answered with an error',
  bad_claims: 'Invalid claims',
  bad_message: 'Invalid message',
  bad_option: 'Invalid option',
  connection_lost: 'The connection was lost before an answer came; the outcome is unknown',
  ended: 'The socket was ended',
  engine_unavailable: 'The engine is not available',
  forbidden: 'Forbidden',
  identity_changed: 'The token is for another user',
  internal: 'Internal error',
  invalid_input: 'Invalid input',
  invalid_output: 'Invalid output',
  invalid_token: 'Invalid token',
  nested_failed: 'A call inside the function failed',
  not_connected: 'No such socket is connected',
  not_found: 'Function not found',
  origin_refused: 'The origin is not allowed',
  queue_full: 'Too many calls wait for the connection',
  rate_limited: 'Over the limit of a rate',
  shutting_down: 'The server is shutting down',
  timeout: 'Timed out',
  token_failed: 'The token request failed',
  token_refused: 'The token request was refused',
  too_large: 'Too large',
  too_long: 'Too long',
  too_many_calls: 'Too many calls in flight',
  too_many_channels: 'Too many new channels',
  too_many_members: 'Too many members',
  too_many_messages: 'Too many messages in a second',
  too_many_revocations: 'Too many revocations are kept',
  too_many_sockets: 'Too many sockets of one user',
  too_many_subscriptions: 'Too many subscriptions',
  too_many_tickets: 'Too many tokens wait to be used',
  transport_failed: 'No transport could connect',
  uid_required: 'Only for sockets with a uid',
  unserializable: 'Not serializable as JSON',
  unsupported: 'The server cannot do this',
  url_failed: 'The option url gave no URL',
  veto_timeout: 'A listener did not answer in time',
} as const

/** A code of this library. An application's errors may have any other string. */
export type ErrorCode = keyof typeof ERRORS

/** Returns the text of one of these errors. The text of an application's code is the code. */
export function textOf(code: string): string {
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : code
}

/** What a field of a frame, or an argument, has to be. */
const SHAPES = {
  json: 'JSON',
  count: 'a whole number above 0',
  event: 'a string or a RegExp',
  flag: 'true or false',
  flat: `nested at most ${NESTING_LIMIT} levels deep, with at most ${PARTS_LIMIT} lists and objects`,
  function: 'a function',
  id: 'the id of a publication',
  number: 'a number above 0',
  object: 'an object',
  offset: 'a whole number, 0 or above',
  string: 'a string',
  text: 'a string that is not empty',
  time: 'a number, 0 or above',
} as const

/** The name of such a requirement. */
export type Shape = keyof typeof SHAPES

/** Describes a wrong field. @param shape what it has to be */
export function textOfField(field: string, shape?: Shape): string {
  return shape ? `${field} has to be ${SHAPES[shape]}` : `${field} is missing or wrong`
}

/**
 * Describes the failure of a nested call. @param called the function that was called @param by the
 * function that called it
 */
export function textOfNested(code: string, called = '', by = ''): string {
  return `${ERRORS.nested_failed}: ${by && `${by} called `}${called || 'a request'}: ${code}`
}
