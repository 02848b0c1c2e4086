/** What one node says to another. */
export interface NodeMessage {
  /**
   * `silence` is that there will be no answer, `excess` that it is too large, `doubt` asks whether there still may be one:
   * the question or its answer may be lost. `withdrawn` is that the process is no node: nothing of it is missing.
   */
  readonly type: 'question' | 'answer' | 'silence' | 'excess' | 'doubt' | 'withdrawn'
  /** The question's, of the node that asks. */
  readonly id: string
  /** The id of the node that says it. */
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

/** The reverse of {@link encodeNodeMessage}. @returns `undefined` for what this library did not write */
export function decodeNodeMessage(message: string): NodeMessage | undefined {
  const [head = '', letter = '', id = '', from = ''] = HEAD.exec(message) ?? []
  const type = TYPES.get(letter as 'q')
  return type && { type, id, from, text: message.slice(head.length) }
}
