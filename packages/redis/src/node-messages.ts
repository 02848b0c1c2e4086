/** A message from one node to another. */
export interface NodeMessage {
  /**
   * `silence`: there will be no answer. `excess`: the answer is too large. `doubt`: asks whether
   * there still may be an answer, because the question or the answer may be lost. `withdrawn`: the
   * process is no longer a node, and its answer is not missing.
   */
  readonly type: 'question' | 'answer' | 'silence' | 'excess' | 'doubt' | 'withdrawn'
  /** The id of the question, of the node that asks. */
  readonly id: string
  /** The id of the node that sends it. */
  readonly from: string
  readonly text: string
}

const LETTERS = {
  question: 'q',
  answer: 'a',
  silence: 's',
  excess: 'e',
  doubt: 'd',
  withdrawn: 'w',
} as const

const TYPES = new Map(Object.entries(LETTERS).map(([type, letter]) => [letter, type as NodeMessage['type']]))

const HEAD = /^([qasedw]) (\d{1,15}) ([\w-]{1,64})\n/

export function encodeNodeMessage({ type, id, from, text }: NodeMessage): string {
  return `${LETTERS[type]} ${id} ${from}\n${text}`
}

/**
 * Decodes a message of {@link encodeNodeMessage}. @returns `undefined` for anything that this
 * library did not write
 */
export function decodeNodeMessage(message: string): NodeMessage | undefined {
  const [head = '', letter = '', id = '', from = ''] = HEAD.exec(message) ?? []
  const type = TYPES.get(letter as 'q')
  return type && { type, id, from, text: message.slice(head.length) }
}
