/** The result of a question to other nodes. */
export interface NodeAnswers {
  /** The answers, by the ids of the nodes. */
  readonly answers: ReadonlyMap<string, string>
  /** The ids of the nodes that did not answer, and why. */
  readonly missing: ReadonlyMap<string, MissingAnswer>
}

/**
 * Why a node did not answer: it did not receive the question, it was silent, or its answer was too
 * large.
 */
export type MissingAnswer = 'unreached' | 'silent' | 'too_large'

/** How other nodes are asked. */
export interface NodeAskOptions {
  /**
   * The id of one node, known or not.
   * @default all others
   */
  readonly node?: string | undefined
  /** Milliseconds to wait for an answer; `Infinity` waits as long as the node lives. */
  readonly timeout: number
}

/** Answers a question of another node. If it throws, there is no answer. */
export type NodeAnswer = (question: string) => Promise<string>

/** The living nodes, and the questions between them. A question reaches a node at most once. */
export interface Nodes {
  /** This node's id: 1 to 64 letters, digits, `-` and `_`. It is new after each start. */
  readonly id: string
  /** Sets the function that answers other nodes. Called once, before any other method. */
  serve(answer: NodeAnswer): void
  /**
   * Removes this process from the nodes: it has no sockets and answers nothing. It may still list
   * and ask. An engine for one process leaves it out.
   * @throws RpcError `bad_option` if it serves already
   */
  withdraw?(): void
  /**
   * Returns the ids of the living nodes, including this one unless it has withdrawn. A node that
   * died is listed for at most 15 seconds more.
   */
  list(): Promise<readonly string[]>
  /**
   * Returns how many nodes live, including this one, from the engine's last look, a few seconds ago
   * at most. Without it, {@link list} is called instead.
   */
  known?(): number
  /**
   * Asks other nodes. A node that has died, dies meanwhile, or takes too long is `missing`; the
   * question does not fail.
   * @throws RpcError `engine_unavailable`, `too_large`, `too_many_calls`
   */
  ask(question: string, options: NodeAskOptions): Promise<NodeAnswers>
}
