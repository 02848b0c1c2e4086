import { randomBytes } from 'node:crypto'
import type { NodeAnswers, Nodes } from './engine.js'

/** A name for a node: 12 letters, digits, `-` and `_`, another after each start. */
export function newNodeId(): string {
  return randomBytes(9).toString('base64url')
}

/** The nodes of an engine of one process: itself alone. */
export class SingleNode implements Nodes {
  readonly id = newNodeId()

  /** No one else asks. */
  serve(): void {}

  async list(): Promise<readonly string[]> {
    return [this.id]
  }

  async ask(_question: string, { node }: { readonly node?: string | undefined }): Promise<NodeAnswers> {
    return { answers: new Map(), missing: new Map(node === undefined ? [] : [[node, 'unreached']]) }
  }
}
