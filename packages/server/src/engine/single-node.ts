import { randomBytes } from 'node:crypto'
import type { NodeAnswers, Nodes } from './engine.js'

/** Returns an id for a node: 12 letters, digits, `-` and `_`, a new one after each start. */
export function newNodeId(): string {
  return randomBytes(9).toString('base64url')
}

/** The nodes of an engine of one process: only itself. */
export class SingleNode implements Nodes {
  readonly id = newNodeId()

  /** There is no other node that could ask. */
  serve(): void {}

  async list(): Promise<readonly string[]> {
    return [this.id]
  }

  async ask(_question: string, { node }: { readonly node?: string | undefined }): Promise<NodeAnswers> {
    return { answers: new Map(), missing: new Map(node === undefined ? [] : [[node, 'unreached']]) }
  }
}
