import type { Engine } from '@token-socket/server/engine'

/** Records what one node receives from its broker, in order. */
export class ReceivedMessages {
  readonly messages: unknown[] = []
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined

  constructor(readonly engine: Engine) {
    engine.broker.listen({
      publication: ({ channel, json }) => this.#put({ channel, json }),
      broadcast: (json) => this.#put({ broadcast: json }),
      command: (command) => this.#put({ command }),
      presence: () => {},
    })
  }

  /** Resolves when a given number of messages has been received. */
  async until(count: number): Promise<unknown[]> {
    if (this.messages.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = { count, resolve }
      })
    }
    return this.messages
  }

  #put(item: unknown): void {
    this.messages.push(item)
    if (this.#waiting && this.messages.length >= this.#waiting.count) this.#waiting.resolve()
  }
}

/** The records of one case, one for each node. */
export type MakeRecords = (count: number) => Promise<readonly [ReceivedMessages, ...ReceivedMessages[]]>

/** The first record, with `until` as a function of its own. */
export function bound([record]: readonly [ReceivedMessages, ...ReceivedMessages[]]) {
  return [
    { engine: record.engine, messages: record.messages, until: (count: number) => record.until(count) },
  ] as const
}
