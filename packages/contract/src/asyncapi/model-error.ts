import { toJson } from './json-text.js'

/**
 * A model that no contract can be made of. The message names the place and what is wrong there.
 * Its message is, for example: `channel "orders" (#/channels/orders): it has no messages`.
 */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  /**
   * A JSON pointer to the place in the document, such as `#/operations/buy/reply`; `#` for the
   * document itself.
   */
  readonly pointer: string

  /** @param pointer the place @param problem what is wrong there, in words */
  constructor(pointer: string, problem: string) {
    super(`${subjectOf(pointer)}: ${problem}`)
    this.pointer = pointer
  }
}

const LONGEST_POINTER = 300

/** `operation "buy" (#/operations/buy/reply)` */
function subjectOf(pointer: string): string {
  const shown = toJson(pointer.slice(0, LONGEST_POINTER)).slice(1, -1)
  const [, folder, name] = shown.split('/')
  if (folder === undefined) return `the document (${shown})`
  const noun = { operations: 'operation', channels: 'channel' }[folder]
  return noun && name !== undefined ? `${noun} ${name} (${shown})` : shown
}
