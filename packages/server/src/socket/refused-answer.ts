import {
  type AnswerMessage,
  type ErrorMessage,
  encodeError,
  plainRefusal,
  type WireError,
} from '@token-socket/protocol'

/** An answer of a client that waits with others. */
type Answer = AnswerMessage | ErrorMessage

/** What is sent in place of an answer when too many answers wait for their client. */
export interface RefusedAnswer {
  /** The same answer, refused as `too_large`. */
  readonly answer: Answer
  readonly outcome: WireError
  /** For the log: what it is an answer to. */
  readonly request: { readonly type: 'answer'; readonly function?: string }
}

/**
 * Refuses an answer.
 * @param limit UTF-16 code units of answers that may wait
 */
export function refusedAnswer(message: Answer, limit: number): RefusedAnswer {
  const outcome = encodeError(plainRefusal('too_large', { field: 'answers', limit }))
  const { rpc } = message as Partial<AnswerMessage>
  return {
    answer: message.type === 'answer' ? { ...message, outcome } : { ...message, error: outcome },
    outcome,
    request: { type: 'answer', ...(rpc !== undefined && { function: rpc }) },
  }
}
