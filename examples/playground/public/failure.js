// Errors, as a person reads them.

import { make } from './dom.js'

/**
 * The small script has no texts for its own errors, only their codes: the page chooses the words.
 */
const TEXTS = {
  aborted: 'The call was given up',
  connection_lost: 'The connection was lost before the answer came. The function may have run, or not.',
  ended: 'The connection has ended',
  queue_full: 'Too many calls wait for the connection',
  timeout: 'There was no answer in time',
}

/** An error's code, and its text and data. @returns children for an element */
export function describe(error) {
  const { code, data } = error ?? {}
  const details = data === undefined ? '' : ` ${JSON.stringify(data)}`
  return [make('code', { className: 'code' }, code ?? 'error'), ` ${textOf(error)}${details}`]
}

/** What went wrong, without the code. On the wire an error may be a text. */
export function textOf(error) {
  if (typeof error === 'string') return error
  const { code, message } = error ?? {}
  return message && message !== code ? message : (TEXTS[code] ?? '')
}
